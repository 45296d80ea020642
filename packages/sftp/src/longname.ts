import type { DirectoryEntry, FileKind } from '@sallyport/files';

const typeLetter: Readonly<Record<FileKind, string>> = { file: '-', directory: 'd', link: 'l', other: '?' };
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const sixMonths = 182 * 24 * 3_600_000;

/** `rwxr-x---`; set-id and sticky bits are not shown. */
const permissions = (mode: number): string =>
  [...'rwxrwxrwx'].map((letter, bit) => (mode & (0o400 >> bit) ? letter : '-')).join('');

/** `Jan  5 14:03` within six months of now, `Jan  5  2024` outside, as ls does; in UTC. */
function timestamp(milliseconds: number, now: number): string {
  const time = new Date(milliseconds);
  const day = `${months[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2)}`;
  if (Math.abs(now - milliseconds) > sixMonths) return `${day}  ${time.getUTCFullYear()}`;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${day} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`;
}

/**
 * The line of `ls -l` that v3 sends beside a name (draft-ietf-secsh-filexfer-02 section 7).
 * Owners are numbers: the names of this machine's users are nobody's business outside.
 *
 * @param now milliseconds since the epoch; decides between clock time and year
 */
export function longname(entry: DirectoryEntry, now: number): string {
  const { kind, mode, uid, gid, size, modifiedAt } = entry.attributes;
  const owner = `${String(uid).padEnd(8)} ${String(gid).padEnd(8)}`;
  const shown = Number.isFinite(modifiedAt) ? modifiedAt : 0;
  return `${typeLetter[kind]}${permissions(mode)}    1 ${owner} ${String(size).padStart(12)} ${timestamp(shown, now)} ${entry.name}`;
}
