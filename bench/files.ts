import { randomBytes } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const mebibyte = 1024 * 1024;

/** Writes a new file that nothing compresses. */
export async function writeRandom(file: string, mebibytes: number): Promise<void> {
  const handle = await open(file, 'wx');
  const block = randomBytes(mebibyte);
  for (let at = 0; at < mebibytes; at++) {
    block.writeUInt32BE(at);
    await handle.write(block);
  }
  await handle.close();
}

export const smallFiles = 1_000;

/** Makes a folder of `smallFiles` files of 1 KiB. */
export async function fillSmall(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let at = 0; at < smallFiles; at++) await writeFile(join(folder, `file-${at}`), randomBytes(1024));
}
