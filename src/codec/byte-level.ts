/** GPT-2's way to write any byte as a visible character: most of Latin-1 as it is, the rest from U+0100 on. */
const isVisible = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

const bytesByCharacter = (): ReadonlyMap<string, number> => {
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 0x100; byte++)
    bytes.set(String.fromCharCode(isVisible(byte) ? byte : next++), byte);
  return bytes;
};

const BYTES = bytesByCharacter();

/**
 * Tokens to text as `tokenizers` does it: a token that is not all such characters is text already. The library would
 * make NULs of these, and words are joined twice.
 */
export const joinByteLevel = (pieces: readonly string[]): string => {
  const encoder = new TextEncoder();
  const bytes = pieces.flatMap((piece) => {
    const known = Array.from(piece, (char) => BYTES.get(char));
    return known.every((byte) => byte !== undefined) ? known : [...encoder.encode(piece)];
  });
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
};
