import type { InferResult, TextUnit } from '../infer.js';
import type { TensorData } from '../tensor.js';

/** What a text costs beside its characters: up to 2 µs, as much as so many characters of English. */
const TEXT_OVERHEAD_CHARS = 16;

/**
 * Characters sent to the codec thread at a time, 2 ms of English: large requests take turns there, slice by slice. A
 * single text is never divided.
 */
const SLICE_CHARS = 16_384;

/** Largest answer that is rendered on the event loop: 3 ms for the elements, 2.5 ms for the items. */
const INLINE_ELEMENTS = 20_000;
const INLINE_ITEMS = 2_000;
/** An element of text costs as much as a number for each of so many characters. */
const CHARS_PER_ELEMENT = 64;

/** Characters of the texts, overheads included; stops counting beyond `enough`. */
export const encodingCost = (texts: readonly TextUnit[], enough: number): number => {
  let cost = 0;
  for (const text of texts) {
    cost += charsOf(text) + TEXT_OVERHEAD_CHARS;
    if (cost > enough) break;
  }
  return cost;
};

/** Positions at which a request's texts are divided, each slice ending before its entry: `[5, 9]` is [0,5) and [5,9). */
export const sliceEnds = (texts: readonly TextUnit[]): number[] => {
  const ends: number[] = [];
  let cost = 0;
  for (const [index, text] of texts.entries()) {
    cost += charsOf(text) + TEXT_OVERHEAD_CHARS;
    if (cost < SLICE_CHARS) continue;
    ends.push(index + 1);
    cost = 0;
  }
  if (cost > 0) ends.push(texts.length);
  return ends;
};

const charsOf = (text: TextUnit): number =>
  typeof text === 'string' ? text.length : text[0].length + text[1].length;

/** Whether rendering this result is cheap enough for the event loop. */
export const isSmallResult = ({ items }: InferResult): boolean => {
  if (items.length > INLINE_ITEMS) return false;
  let elements = 0;
  for (const { outputs } of items) for (const { data } of outputs) elements += renderingCost(data);
  return elements <= INLINE_ELEMENTS;
};

const renderingCost = (data: TensorData): number =>
  Array.isArray(data)
    ? data.reduce((cost, text) => cost + 1 + text.length / CHARS_PER_ELEMENT, 0)
    : data.length;
