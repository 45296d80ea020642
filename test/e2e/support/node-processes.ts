// The processes that serve for a node, and whose connections are whose, as Linux tells it.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const numbers = (names: readonly string[]): number[] =>
  names.filter((name) => /^\d+$/.test(name)).map(Number);

function readOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    // It has ended meanwhile.
    return otherwise;
  }
}

/** Ids of the processes that a process has started and that have not ended. */
export const childrenOf = (pid: number): number[] =>
  numbers(readdirSync('/proc')).filter((child) => {
    const stat = readOr(() => readFileSync(`/proc/${child}/stat`, 'utf8'), '');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state !== 'Z' && Number(parent) === pid;
  });

/** Connections to a local port over IPv4 that a process holds. */
export function connectionsOf(pid: number, port: number): number {
  const sockets = new Set(
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, local, , state]) => state === '01' && Number.parseInt(local?.split(':')[1] ?? '', 16) === port,
      )
      .map((fields) => `socket:[${fields[9]}]`),
  );
  const folder = `/proc/${pid}/fd`;
  return readOr(() => readdirSync(folder), []).filter((fd) =>
    sockets.has(readOr(() => readlinkSync(`${folder}/${fd}`), '')),
  ).length;
}
