import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The addresses that a process listens on for TCP, as `127.0.0.1:2222` (Linux). */
export function listeningAddresses(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
      } catch {
        return []; // Closed since.
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((row) => row.trim().split(/\s+/))
      .filter((columns) => columns[3] === '0A' && inodes.has(columns[9] ?? ''))
      .map((columns) => readable(columns[1] ?? '')),
  );
}

/** `0100007F:08AE` is 127.0.0.1:2222; an IPv6 address stays in hexadecimal. */
function readable(hexadecimal: string): string {
  const [address = '', port = ''] = hexadecimal.split(':');
  const dotted = address.match(/../g)?.map((byte) => Number.parseInt(byte, 16));
  const host = address.length === 8 ? dotted?.reverse().join('.') : address;
  return `${host}:${Number.parseInt(port, 16)}`;
}
