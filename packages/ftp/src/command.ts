/** What the engine needs to know of a command before it runs. */
type CommandRow = {
  readonly argument: 'none' | 'optional' | 'required';
  /** `login`: refused with 530 before the login. */
  readonly needs: 'nothing' | 'login';
};

const row = (argument: CommandRow['argument'], needs: CommandRow['needs']): CommandRow => ({
  argument,
  needs,
});

/** The commands that are served: RFC 959, 2228, 2389, 2428, 3659, 4217 and 7151, and what clients know beside them. */
export const commands = {
  USER: row('required', 'nothing'),
  PASS: row('optional', 'nothing'),
  ACCT: row('optional', 'nothing'),
  AUTH: row('required', 'nothing'),
  PBSZ: row('required', 'nothing'),
  PROT: row('required', 'nothing'),
  CCC: row('none', 'nothing'),
  HOST: row('required', 'nothing'),
  REIN: row('none', 'nothing'),
  CLNT: row('required', 'nothing'),
  FEAT: row('none', 'nothing'),
  OPTS: row('required', 'nothing'),
  SYST: row('none', 'nothing'),
  NOOP: row('optional', 'nothing'),
  HELP: row('optional', 'nothing'),
  QUIT: row('none', 'nothing'),
  TYPE: row('required', 'login'),
  MODE: row('required', 'login'),
  STRU: row('required', 'login'),
  ALLO: row('optional', 'login'),
  PASV: row('none', 'login'),
  EPSV: row('optional', 'login'),
  PORT: row('required', 'login'),
  EPRT: row('required', 'login'),
  REST: row('required', 'login'),
  RETR: row('required', 'login'),
  STOR: row('required', 'login'),
  APPE: row('required', 'login'),
  STOU: row('optional', 'login'),
  LIST: row('optional', 'login'),
  NLST: row('optional', 'login'),
  MLSD: row('optional', 'login'),
  MLST: row('optional', 'login'),
  ABOR: row('none', 'login'),
  STAT: row('optional', 'login'),
  SIZE: row('required', 'login'),
  MDTM: row('required', 'login'),
  MFMT: row('required', 'login'),
  HASH: row('required', 'login'),
  XSHA256: row('required', 'login'),
  AVBL: row('optional', 'login'),
  PWD: row('none', 'login'),
  CWD: row('optional', 'login'),
  CDUP: row('none', 'login'),
  MKD: row('required', 'login'),
  RMD: row('required', 'login'),
  DELE: row('required', 'login'),
  RNFR: row('required', 'login'),
  RNTO: row('required', 'login'),
  SITE: row('required', 'login'),
} as const satisfies Record<string, CommandRow>;

export type Verb = keyof typeof commands;

/** Older spellings (RFC 775, RFC 1123 section 4.1.3.1). */
const aliases: Readonly<Record<string, Verb>> = {
  XCWD: 'CWD',
  XCUP: 'CDUP',
  XPWD: 'PWD',
  XMKD: 'MKD',
  XRMD: 'RMD',
};

/** Commands of the RFCs that are known and not served: 502, where an unknown word is 500 (RFC 959 section 4.2.2). */
const unserved: ReadonlySet<string> = new Set(['ADAT', 'CONF', 'ENC', 'LANG', 'LPRT', 'LPSV', 'MIC', 'SMNT']);

/** A command line, read. */
export type ParsedCommand =
  | { readonly kind: 'command'; readonly verb: Verb; readonly argument: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unserved' }
  /** The argument is missing, or there is one where none belongs. */
  | { readonly kind: 'syntax'; readonly verb: Verb };

/**
 * Reads a command line: a word, and after one space its argument as it stands (a path may begin with a space).
 *
 * @param line without its end
 */
export function parseCommand(line: string): ParsedCommand {
  const space = line.indexOf(' ');
  const word = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  const argument = space < 0 ? '' : line.slice(space + 1);
  const verb = Object.hasOwn(aliases, word) ? aliases[word] : word;
  if (verb === undefined || !isVerb(verb)) return { kind: unserved.has(word) ? 'unserved' : 'unknown' };
  const wanted = commands[verb].argument;
  if (wanted === 'required' && argument === '') return { kind: 'syntax', verb };
  if (wanted === 'none' && argument.trim() !== '') return { kind: 'syntax', verb };
  return { kind: 'command', verb, argument };
}

const isVerb = (word: string): word is Verb => Object.hasOwn(commands, word);
