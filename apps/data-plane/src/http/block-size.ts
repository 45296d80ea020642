const mebibyte = 1 << 20;

/**
 * Size of one of a transfer's two buffers. Large blocks are fast (measured: 1 MiB sends a file at 1.2 times the rate
 * of 256 KiB); many transfers at once get smaller ones, so that their memory stays bounded.
 *
 * @param transfers transfers under way on this listener, this one included
 */
export function blockSizeFor(transfers: number): number {
  if (transfers <= 64) return mebibyte;
  return transfers <= 512 ? mebibyte / 4 : mebibyte / 16;
}
