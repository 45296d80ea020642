import { ok, type Result, refuse } from '@sallyport/faults';
import { SaxesParser } from 'saxes';

/** An element with its namespace resolved. */
export type Element = {
  readonly namespace: string;
  readonly name: string;
  readonly children: Element[];
  text: string;
};

const maxDepth = 16;
const maxElements = 500;
/** Characters of all names with their namespaces, each written out: as an answer has to write them. */
const maxNameLength = 16_384;

/**
 * Reads a request body (RFC 4918 section 8.2): well-formed XML of bounded depth, count and names, without a document type, so
 * that there are no entities beyond the five of XML itself.
 *
 * @param text already bounded in size
 * @returns the root; `message-malformed`
 */
export function parseXml(text: string): Result<Element> {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: Element[] = [];
  let root: Element | undefined;
  let elements = 0;
  let names = 0;
  const stop = (reason: string): never => {
    throw new Error(reason);
  };
  parser.on('error', (error) => stop(error.message));
  parser.on('doctype', () => stop('a document type'));
  parser.on('opentag', ({ uri, local }) => {
    if (open.length >= maxDepth || ++elements > maxElements) stop('too deep or too many elements');
    names += uri.length + local.length;
    if (names > maxNameLength) stop('too much in names');
    const element: Element = { namespace: uri, name: local, children: [], text: '' };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('text', (part) => {
    const element = open.at(-1);
    if (element) element.text += part;
  });
  parser.on('cdata', (part) => {
    const element = open.at(-1);
    if (element) element.text += part;
  });
  parser.on('closetag', () => void open.pop());
  try {
    parser.write(text).close();
  } catch (error) {
    return refuse('message-malformed', error instanceof Error ? error.message : 'not XML');
  }
  return root ? ok(root) : refuse('message-malformed', 'no element');
}

const replacements: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Text for an answer: escaped, and without the characters that XML has no way to write. */
export const xmlText = (text: string): string =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, (character) => replacements[character] ?? '');
