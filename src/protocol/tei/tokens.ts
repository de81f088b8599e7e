import type { InferRequest, InferResult, TextFacts } from '../../infer.js';
import type { Codec } from '../../codec/codec.js';

/**
 * Tokens of texts as if they were a model's answer: its outputs are the ids and their places, so that what is large is
 * rendered in the codec thread as every other answer.
 */
export const tokensResult = (facts: Awaited<ReturnType<Codec['tokenize']>>): InferResult => ({
  items: facts.map(({ ids = new Int32Array(), offsets = new Int32Array() }) => ({
    outputs: [
      { dtype: 'int32', dims: [ids.length], data: ids },
      { dtype: 'int32', dims: [offsets.length], data: offsets },
    ],
  })),
  texts: facts,
  timings: { encodeMs: 0, queueMs: 0, runMs: 0, batchRows: 0 },
});

/** Texts as if they were a model's answer. */
export const decodedResult = (texts: readonly string[]): InferResult => ({
  items: [{ outputs: [{ dtype: 'string', dims: [texts.length], data: [...texts] }] }],
  timings: { encodeMs: 0, queueMs: 0, runMs: 0, batchRows: 0 },
});

/** `[[{"id", "text", "special", "start", "stop"}, …], …]`; places in bytes of the text's UTF-8, as TEI counts. */
export const tokensJson = (
  { input }: InferRequest,
  { texts = [] }: InferResult,
  special: boolean,
): string => {
  const units = input.kind === 'texts' ? input.texts : [];
  const lists = texts.map((facts, i) => {
    const unit = units[i] ?? '';
    return `[${tokensOfText(typeof unit === 'string' ? unit : unit[0], facts, special).join(',')}]`;
  });
  return `[${lists.join(',')}]`;
};

const tokensOfText = (
  text: string,
  { ids = new Int32Array(), special = new Uint8Array(), pieces = [], offsets = new Int32Array() }: TextFacts,
  withSpecial: boolean,
): string[] => {
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
  return tokens;
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
