import { keyOf } from './key-of.js';
import type { LibraryNormalizer } from './library.js';

/** Graphemes of more bytes than these are looked up character by character. */
const MOST_BYTES = 5;
/** Room for what a text's characters become; they repeat. */
const MOST_KNOWN = 4_096;

/** Characters that never make up a grapheme with another one of these: letters and signs, the frequent ones. */
const SIMPLE =
  '\\x20-\\x7e\\u00a1-\\u00ac\\u00ae-\\u02ff\\u0370-\\u0482\\u048a-\\u052f\\u3041-\\u3096\\u30a1-\\u30fa\\u4e00-\\u9fff';
/** What stands before any other character is left to the segmenter, which costs a microsecond a character. */
const SIMPLE_RUN = new RegExp(`(?:[${SIMPLE}](?=[${SIMPLE}]|$))+`, 'gu');
const ASCII = /^[\x20-\x7e]*$/;
const PRINTABLE = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, i) => 0x20 + i));

/**
 * SentencePiece's own table of normalisation (`precompiled_charsmap`), looked up as `tokenizers` does it. The library
 * has the usual rules written out by hand instead, which differ (a zero-width joiner becomes a space there).
 *
 *   uint32 size │ trie: size bytes of uint32 units (darts double array) │ replacements, each ended by NUL
 */
export class PrecompiledTable {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  readonly #graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  readonly #keepsAscii: boolean;
  /** Graphemes and what becomes of them. */
  readonly #known = new Map<string, string>();

  /** @throws RangeError when the table ends early */
  constructor(table: Uint8Array) {
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    const units = view.getUint32(0, true) / Uint32Array.BYTES_PER_ELEMENT;
    this.#units = Uint32Array.from({ length: units }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#replacements = table.subarray(4 + 4 * units);
    this.#keepsAscii = this.#stretch(PRINTABLE) === PRINTABLE;
  }

  normalize(text: string): string {
    let normalized = '';
    let at = 0;
    for (const { 0: run, index } of text.matchAll(SIMPLE_RUN)) {
      if (index > at) normalized += this.#stretch(text.slice(at, index));
      // In one piece where it can be: this is most of most texts.
      if (this.#keepsAscii && ASCII.test(run)) normalized += run;
      else for (const char of run) normalized += this.#look(char);
      at = index + run.length;
    }
    return at === text.length ? normalized : normalized + this.#stretch(text.slice(at));
  }

  /** Any text, grapheme by grapheme. */
  #stretch(text: string): string {
    let normalized = '';
    for (const { segment } of this.#graphemes.segment(text)) normalized += this.#look(segment);
    return normalized;
  }

  #look(grapheme: string): string {
    const known = this.#known.get(grapheme);
    if (known !== undefined) return known;
    const found = this.#grapheme(grapheme);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(grapheme, found);
    return found;
  }

  #grapheme(grapheme: string): string {
    const whole = this.#encoder.encode(grapheme);
    const replacement = whole.byteLength <= MOST_BYTES ? this.#replacementOf(whole) : undefined;
    if (replacement !== undefined) return replacement;
    return Array.from(grapheme, (char) => this.#replacementOf(this.#encoder.encode(char)) ?? char).join('');
  }

  /** What stands for the shortest entry that `bytes` begin with: odd, but what all models were trained with. */
  #replacementOf(bytes: Uint8Array): string | undefined {
    const units = this.#units;
    let at = offsetOf(units[0] ?? 0);
    for (const byte of bytes) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = units[at] ?? 0;
      if (labelOf(unit) !== byte) return undefined;
      at ^= offsetOf(unit);
      if ((unit & HAS_LEAF) !== 0) return this.#textAt((units[at] ?? 0) & VALUE);
    }
    return undefined;
  }

  #textAt(from: number): string {
    const end = this.#replacements.indexOf(0, from);
    return this.#decoder.decode(this.#replacements.subarray(from, end === -1 ? undefined : end));
  }
}

const HAS_LEAF = 1 << 8;
const VALUE = 0x7fff_ffff;

const labelOf = (unit: number): number => (unit & 0x8000_00ff) >>> 0;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);

/** Gives every `Precompiled` step of a normalizer its own table. @throws RangeError for one that is cut off */
export const usePrecompiledTables = (normalizer: LibraryNormalizer | null): void => {
  for (const step of normalizer?.normalizers ?? []) usePrecompiledTables(step);
  if (normalizer?.config?.type !== 'Precompiled') return;
  const encoded = keyOf(normalizer.config, 'precompiled_charsmap');
  if (typeof encoded !== 'string' || encoded === '') return;
  const table = new PrecompiledTable(Buffer.from(encoded, 'base64'));
  normalizer.normalize = (text) => table.normalize(text);
};
