import type { TextFacts, TextUnit } from '../../infer.js';

/**
 * `[{"id", "text", "special", "start", "stop"}, …]`; places in bytes of the text's UTF-8, as text-embeddings-inference
 * counts them.
 */
export const tokensJson = (
  unit: TextUnit,
  { ids = new Int32Array(), special = new Uint8Array(), pieces = [], offsets = new Int32Array() }: TextFacts,
  withSpecial: boolean,
): string => {
  const text = typeof unit === 'string' ? unit : unit[0];
  const bytesBefore = byteCounter(text);
  const tokens: string[] = [];
  for (const [i, id] of ids.entries()) {
    if (special[i] === 1) {
      if (withSpecial)
        tokens.push(
          `{"id":${id},"text":${JSON.stringify(pieces[i] ?? '')},"special":true,"start":null,"stop":null}`,
        );
      continue;
    }
    const start = offsets[2 * i] ?? 0;
    const end = offsets[2 * i + 1] ?? 0;
    const shown = JSON.stringify(text.slice(start, end));
    tokens.push(
      `{"id":${id},"text":${shown},"special":false,"start":${bytesBefore(start)},"stop":${bytesBefore(end)}}`,
    );
  }
  return `[${tokens.join(',')}]`;
};

/** UTF-16 positions to positions in UTF-8; ascending ones cost one walk over the text. */
const byteCounter = (text: string): ((utf16: number) => number) => {
  let at = 0;
  let bytes = 0;
  return (utf16) => {
    if (utf16 < at) {
      bytes -= Buffer.byteLength(text.slice(utf16, at));
      at = utf16;
    } else if (utf16 > at) {
      bytes += Buffer.byteLength(text.slice(at, utf16));
      at = utf16;
    }
    return bytes;
  };
};
