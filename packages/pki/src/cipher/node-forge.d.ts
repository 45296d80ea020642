declare module 'node-forge/lib/forge.js' {
  /** Octets as the characters of a text. */
  type ByteBuffer = { getBytes(): string };
  type Cipher = {
    start(options: { iv: string }): void;
    update(input: ByteBuffer): void;
    finish(pad: () => boolean): boolean;
    output: ByteBuffer;
  };
  type Rc2Cipher = {
    start(iv: string): void;
    update(input: ByteBuffer): void;
    finish(pad: () => boolean): boolean;
    output: ByteBuffer;
  };
  const forge: {
    util: { createBuffer(octets: string): ByteBuffer };
    cipher: { createDecipher(algorithm: 'DES-CBC' | '3DES-CBC', key: string): Cipher };
    rc2: { createDecryptionCipher(key: string, effectiveBits: number): Rc2Cipher };
  };
  export default forge;
}
declare module 'node-forge/lib/des.js' {}
declare module 'node-forge/lib/rc2.js' {}
