import { ok, type Result, refuse } from '@sallyport/faults';

/** One word of a command: characters in quotes, or behind a backslash, stand for themselves. */
export type Word = readonly { readonly character: string; readonly quoted: boolean }[];

/** What a client of scp's own protocol asks for: the command that it would have a shell run. */
export type ScpCommand = {
  /** `source`: we send (`-f`). `sink`: we receive (`-t`). */
  readonly role: 'source' | 'sink';
  readonly recursive: boolean;
  /** Times and modes are kept (`-p`). */
  readonly preserve: boolean;
  /** The target must be a directory (`-d`). */
  readonly intoDirectory: boolean;
  readonly paths: readonly Word[];
};

const longestCommand = 16_384;
const maxPaths = 256;
/** What would make a shell do more than split words and expand names. */
const shellOperators = new Set([';', '&', '|', '<', '>', '(', ')', '$', '`', '\n', '\r', '\0']);

const textOf = (word: Word): string => word.map(({ character }) => character).join('');

/** Splits into words as a POSIX shell does (XCU section 2.2); nothing for what needs more of a shell. */
function splitWords(command: string): Word[] | undefined {
  const words: Word[] = [];
  let word: { character: string; quoted: boolean }[] | undefined;
  let quote: "'" | '"' | undefined;
  const characters = [...command];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (quote === undefined && (character === ' ' || character === '\t')) {
      if (word) words.push(word);
      word = undefined;
      continue;
    }
    word ??= [];
    if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
    } else if (character === quote) {
      quote = undefined;
    } else if (character === '\\' && quote !== "'") {
      const next = characters[++at];
      if (next === undefined) return undefined;
      if (quote === '"' && !['\\', '"', '$', '`'].includes(next)) word.push({ character, quoted: true });
      word.push({ character: next, quoted: true });
    } else {
      const special =
        quote === undefined ? shellOperators.has(character) : quote === '"' && '$`'.includes(character);
      if (special) return undefined;
      word.push({ character, quoted: quote !== undefined });
    }
  }
  if (quote !== undefined) return undefined;
  if (word) words.push(word);
  return words;
}

/**
 * Reads the command of an exec request as that of an scp client; there is no shell behind it, and nothing else is run.
 *
 * @returns the command; `operation-unsupported` for every other
 */
export function parseScpCommand(command: string): Result<ScpCommand> {
  const other = refuse('operation-unsupported', 'not a command of scp');
  if (command.length > longestCommand) return other;
  const [program, ...rest] = splitWords(command) ?? [];
  if (!program || !['scp', '/usr/bin/scp'].includes(textOf(program))) return other;
  const flags = new Set<string>();
  let first = 0;
  for (; first < rest.length; first++) {
    const option = textOf(rest[first] as Word);
    if (option === '--') {
      first++;
      break;
    }
    if (!/^-[a-z]+$/i.test(option)) break;
    for (const flag of option.slice(1)) flags.add(flag);
  }
  const paths = rest.slice(first);
  const known = [...flags].every((flag) => 'rpdvqtf'.includes(flag));
  if (!known || flags.has('t') === flags.has('f') || paths.length === 0 || paths.length > maxPaths)
    return other;
  if (flags.has('t') && paths.length > 1) return other;
  return ok({
    role: flags.has('f') ? 'source' : 'sink',
    recursive: flags.has('r'),
    preserve: flags.has('p'),
    intoDirectory: flags.has('d'),
    paths,
  });
}

/** The path that a word means to whoever takes it literally; a tilde at its beginning is the home. */
export function literalPath(word: Word): string {
  const text = textOf(word);
  if (word[0]?.quoted || !/^~(\/|$)/.test(text)) return text;
  return `/${text.slice(2)}`;
}

/** Does the word hold a pattern? */
export const isPattern = (word: Word): boolean =>
  word.some(({ character, quoted }) => !quoted && (character === '*' || character === '?'));

/** The parts of a word between its slashes, with a leading empty one where it is absolute. */
export function partsOf(word: Word): Word[] {
  const parts: { character: string; quoted: boolean }[][] = [[]];
  for (const piece of word) {
    if (piece.character === '/') parts.push([]);
    else parts.at(-1)?.push(piece);
  }
  return parts;
}

/**
 * Does a name match a part of a pattern? `*` is any run of characters, `?` is one; neither is a dot at the beginning.
 * Time is bounded by the product of both lengths.
 */
export function matchesPart(part: Word, name: string): boolean {
  const letters = [...name];
  const wild = (at: number, character: string) => part[at]?.character === character && !part[at]?.quoted;
  if (letters[0] === '.' && (wild(0, '*') || wild(0, '?'))) return false;
  let [at, letter, star, resume] = [0, 0, -1, 0];
  while (letter < letters.length) {
    if (wild(at, '*')) {
      star = at++;
      resume = letter;
    } else if (at < part.length && (wild(at, '?') || part[at]?.character === letters[letter])) {
      at++;
      letter++;
    } else if (star >= 0) {
      at = star + 1;
      letter = ++resume;
    } else {
      return false;
    }
  }
  while (wild(at, '*')) at++;
  return at === part.length;
}
