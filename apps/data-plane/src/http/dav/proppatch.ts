import type { AttributeChange } from '@sallyport/files';
import type { Exchange } from '../exchange.ts';
import { hrefOf } from '../href.ts';
import { answer } from '../outgoing.ts';
import { sendProblem } from '../problem.ts';
import { readText } from '../small-body.ts';
import type { LockGuard } from './lock-guard.ts';
import { dav } from './properties.ts';
import { emptyElement, multistatusEnd, multistatusHeaders, multistatusStart } from './propfind.ts';
import { type Element, parseXml } from './xml.ts';

const maxBodyBytes = 65_536;

/** Namespace of what the file explorer of Windows sets on every file that it copies. */
const windows = 'urn:schemas-microsoft-com:';

const timeOf = (text: string): number | undefined => {
  const at = Date.parse(text.trim());
  return Number.isNaN(at) || at < 0 ? undefined : at;
};

/**
 * What a property that a client may set changes; nothing where it may not be set. Windows takes a copy for failed
 * unless it may set its times and attributes, of which only those that a file has are kept.
 */
function changeBy({ namespace, name, text }: Element): AttributeChange | undefined {
  const isModified =
    (namespace === dav && name === 'getlastmodified') ||
    (namespace === windows && name === 'Win32LastModifiedTime');
  if (isModified) {
    const modifiedAt = timeOf(text);
    return modifiedAt === undefined ? undefined : { modifiedAt };
  }
  if (namespace === windows && name === 'Win32LastAccessTime') {
    const accessedAt = timeOf(text);
    return accessedAt === undefined ? undefined : { accessedAt };
  }
  return namespace === windows && ['Win32CreationTime', 'Win32FileAttributes'].includes(name)
    ? {}
    : undefined;
}

/** PROPPATCH: all of it or nothing (RFC 4918 section 9.2). There are no properties that nothing but a client knows. */
export async function proppatch(exchange: Exchange, guard: LockGuard): Promise<void> {
  const { incoming, outgoing, session, path } = exchange;
  const body = await readText(incoming, maxBodyBytes);
  if (!body.ok) return sendProblem(outgoing, body.fault.code);
  const xml = parseXml(body.value);
  if (!xml.ok || xml.value.namespace !== dav || xml.value.name !== 'propertyupdate') {
    return sendProblem(outgoing, 'message-malformed');
  }
  const refusal = await guard.refusal(exchange, [{ path, reach: 'self' }]);
  if (refusal) return sendProblem(outgoing, refusal);
  const found = await session.files.stat(path);
  if (!found.ok) return sendProblem(outgoing, found.fault.code);
  if (found.value.unfinished) return sendProblem(outgoing, 'file-not-found');

  const asked = xml.value.children.flatMap((update) =>
    update.children.flatMap(({ children }) =>
      children.map((property) => ({ update: update.name, property })),
    ),
  );
  const changes = asked.map(({ update, property }) => (update === 'set' ? changeBy(property) : undefined));
  let status = changes.includes(undefined) ? 403 : 200;
  if (status === 200) {
    const change: AttributeChange = Object.assign({}, ...changes);
    const applied =
      Object.keys(change).length === 0 ? undefined : await session.files.setAttributes(path, change);
    if (applied && !applied.ok) status = 403;
  }
  const parts = asked.map(({ property }, index) => {
    const own = status === 200 ? '200 OK' : changes[index] ? '424 Failed Dependency' : '403 Forbidden';
    return `<D:propstat><D:prop>${emptyElement(property)}</D:prop><D:status>HTTP/1.1 ${own}</D:status></D:propstat>`;
  });
  const href = hrefOf(path, found.value.kind === 'directory' ? 'directory' : 'plain');
  const text = `${multistatusStart}<D:response><D:href>${href}</D:href>${parts.join('')}</D:response>\n${multistatusEnd}`;
  answer(outgoing, 207, multistatusHeaders, text);
}
