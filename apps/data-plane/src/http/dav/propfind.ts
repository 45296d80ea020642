import { childOf, type FileAttributes, type VirtualPath } from '@sallyport/files';
import { type Exchange, hasBody } from '../exchange.ts';
import { hrefOf } from '../href.ts';
import { answer, cut, ended, writeHead, written } from '../outgoing.ts';
import { sendProblem } from '../problem.ts';
import { readText } from '../small-body.ts';
import { depthOf } from './destination.ts';
import { type LockGuard, lockPathOf } from './lock-guard.ts';
import { allProperties, type Described, dav, isOnRequest, propertyOf } from './properties.ts';
import { parseXml, xmlText } from './xml.ts';

const maxBodyBytes = 65_536;

/** The head of an answer of several parts. */
export const multistatusHeaders = {
  'Content-Type': 'application/xml; charset=utf-8',
  'Cache-Control': 'no-store',
};
export const multistatusStart = '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">\n';
export const multistatusEnd = '</D:multistatus>\n';

type Name = { readonly namespace: string; readonly name: string };

/** What is asked for. */
type Question =
  | { readonly kind: 'all' | 'names' }
  | { readonly kind: 'some'; readonly names: readonly Name[] };

async function questionOf({ incoming, outgoing }: Exchange): Promise<Question | undefined> {
  if (!hasBody(incoming)) return { kind: 'all' };
  const body = await readText(incoming, maxBodyBytes);
  if (!body.ok) {
    sendProblem(outgoing, body.fault.code);
    return undefined;
  }
  if (body.value.trim() === '') return { kind: 'all' };
  const xml = parseXml(body.value);
  const asked =
    xml.ok && xml.value.namespace === dav && xml.value.name === 'propfind'
      ? xml.value.children.find(
          ({ namespace, name }) => namespace === dav && ['prop', 'allprop', 'propname'].includes(name),
        )
      : undefined;
  if (!asked) {
    sendProblem(outgoing, 'message-malformed');
    return undefined;
  }
  if (asked.name === 'prop') return { kind: 'some', names: asked.children };
  return { kind: asked.name === 'allprop' ? 'all' : 'names' };
}

/** An empty element of any namespace. */
export const emptyElement = ({ namespace, name }: Name): string =>
  namespace === dav ? `<D:${name}/>` : `<${name} xmlns="${xmlText(namespace)}"/>`;

const propstat = (props: readonly string[], status: string): string =>
  props.length === 0
    ? ''
    : `<D:propstat><D:prop>${props.join('')}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;

/** One resource with what was asked of it. */
function responseOf(of: Described, question: Question): string {
  const found: string[] = [];
  const missing: string[] = [];
  const names: readonly Name[] =
    question.kind === 'some' ? question.names : allProperties.map((name) => ({ namespace: dav, name }));
  for (const name of names) {
    const value = name.namespace === dav ? propertyOf(name.name, of) : undefined;
    if (value === undefined) missing.push(emptyElement(name));
    else if (question.kind === 'names') found.push(emptyElement(name));
    else found.push(`<D:${name.name}>${value}</D:${name.name}>`);
  }
  const form = of.attributes.kind === 'directory' ? 'directory' : 'plain';
  const absent = question.kind === 'some' ? propstat(missing, '404 Not Found') : '';
  // A resource without anything to tell still needs one status (RFC 4918 section 14.24).
  const present = propstat(found, '200 OK') || (absent === '' ? '<D:status>HTTP/1.1 200 OK</D:status>' : '');
  return `<D:response><D:href>${hrefOf(of.path, form)}</D:href>${present}${absent}</D:response>\n`;
}

/** PROPFIND of depth 0 or 1. Endless depth is refused as RFC 4918 section 9.1 provides. */
export async function propfind(exchange: Exchange, guard: LockGuard, now: () => number): Promise<void> {
  const { incoming, outgoing, session, path } = exchange;
  const depth = depthOf(incoming, 'infinity');
  if (depth === undefined) return sendProblem(outgoing, 'message-malformed');
  if (depth === 'infinity') {
    const body =
      '<?xml version="1.0" encoding="utf-8"?>\n<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>\n';
    return answer(outgoing, 403, multistatusHeaders, body);
  }
  const question = await questionOf(exchange);
  if (!question) return;
  const attributes = await session.files.stat(path);
  if (!attributes.ok) return sendProblem(outgoing, attributes.fault.code);
  if (attributes.value.unfinished) return sendProblem(outgoing, 'file-not-found');

  const asksSpace = question.kind === 'some' && question.names.some(({ name }) => isOnRequest(name));
  const space = asksSpace ? await session.files.space(path) : undefined;
  const asksLocks = question.kind !== 'some' || question.names.some(({ name }) => name === 'lockdiscovery');
  const describe = async (at: VirtualPath, of: FileAttributes): Promise<Described> => ({
    path: at,
    attributes: of,
    now: now(),
    locks: asksLocks ? await guard.table.covering(lockPathOf(session, at), 'self', now()) : [],
    space: space?.ok
      ? {
          available: space.value.availableBlocks * space.value.blockSize,
          used: (space.value.blocks - space.value.freeBlocks) * space.value.blockSize,
        }
      : undefined,
  });

  const listed =
    depth === '1' && attributes.value.kind === 'directory' ? await session.files.list(path) : undefined;
  if (listed && !listed.ok) return sendProblem(outgoing, listed.fault.code);
  writeHead(outgoing, 207, multistatusHeaders);
  try {
    const first = responseOf(await describe(path, attributes.value), question);
    const began = await written(outgoing, multistatusStart + first);
    // The directory is closed by reading it.
    for await (const batch of listed?.value ?? []) {
      if (began === 'closed') break;
      const parts: string[] = [];
      for (const entry of batch) {
        const at = childOf(path, entry.name);
        if (at.ok) parts.push(responseOf(await describe(at.value, entry.attributes), question));
      }
      if (parts.length > 0 && (await written(outgoing, parts.join(''))) === 'closed') return;
    }
    await written(outgoing, multistatusEnd);
  } catch {
    // Half a listing must not look like a whole one.
    cut(outgoing);
    return;
  }
  await ended(outgoing);
}
