import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SHIPPED_MODELS } from '../support/start-gateway.js';

export interface SpamCase {
  readonly text: string;
  readonly logits: readonly [number, number];
  readonly label: string;
  /** Probability of the label. */
  readonly score: number;
}

export interface FraudCase {
  readonly input: readonly number[];
  readonly label: number;
  readonly probabilities: readonly [number, number];
}

/** The files come with the models; their shape is held by the tests that read them. */
const casesOf = (model: string): unknown => {
  const text = readFileSync(path.join(SHIPPED_MODELS, model, 'golden.json'), 'utf8');
  return (JSON.parse(text) as { cases: unknown }).cases;
};

export const SPAM_CASES = casesOf('spam') as readonly SpamCase[];
export const FRAUD_CASES = casesOf('fraud_detector') as readonly FraudCase[];

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const shuffled = <T>(values: readonly T[], random: () => number): T[] =>
  values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);

/** Texts of words from the golden texts: most are short, one in ten has up to 120 words. */
export const seededTexts = (count: number, seed: number): string[] => {
  const random = seededRandom(seed);
  const words = SPAM_CASES.flatMap(({ text }) => text.split(/\s+/)).filter((word) => word !== '');
  const pick = (): string => words[Math.floor(random() * words.length)] ?? '';
  return Array.from({ length: count }, () => {
    const longest = random() < 0.1 ? 120 : 15;
    return Array.from({ length: 1 + Math.floor(random() * longest) }, pick).join(' ');
  });
};
