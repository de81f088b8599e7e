import { itemsOfTexts } from '../../dist/src/codec/items.js';
import { embeddingOutput } from '../../dist/src/codec/tasks/index.js';
import { joinPayloads, splitOutput } from '../../dist/src/executor/join.js';

const ROWS = [4, 8, 16, 32, 64, 128];
const TOKENS = [256, 512, 1_024, 2_048, 4_096];
const WORTH_A_SECOND = 1.3;

/** Items in order, cut wherever the next one would break a limit; `items` are sorted, the longest first. */
const cut = (items, { rows, tokens }) => {
  const groups = [];
  let group = [];
  for (const item of items) {
    const longest = group[0]?.item.length ?? item.item.length;
    if (group.length > 0 && (group.length + 1 > rows || (group.length + 1) * longest > tokens)) {
      groups.push(group);
      group = [];
    }
    group.push(item);
  }
  if (group.length > 0) groups.push(group);
  return groups;
};

const normalised = (vector) => {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
};

/**
 * Embeddings of texts that are all known, without the batcher: the longest first, so that the lanes end together.
 *
 * @param library of assembleLibrary, with one embedding model
 * @returns limits -> `{encodeMs, runMs, runs, vectors}`, vectors in the order of the texts, of length 1
 */
export const offlineOf = ({ codec, ways: [{ model, lanes }] }, texts) => {
  const { info, key } = model;
  const { maxTokens } = info.card.text;
  const pool = { output: embeddingOutput(info), pooling: info.card.embedding.pooling };
  return async (limits) => {
    const startedAt = performance.now();
    const encoded = await codec.encode(key, texts, { maxTokens, truncate: true });
    const encodedAt = performance.now();
    const items = itemsOfTexts(encoded, info, pool).map((item, index) => ({ item, index }));
    const groups = cut(
      items.sort((a, b) => b.item.length - a.item.length),
      limits,
    );
    const vectors = [];
    let next = 0;
    const work = async (lane) => {
      while (next < groups.length) {
        const group = groups[next++];
        const output = await lane.run(key, joinPayloads(group.map(({ item }) => item.payload)));
        const rows = splitOutput(
          output,
          group.map(() => 1),
          true,
        );
        for (const [i, { index }] of group.entries())
          vectors[index] = normalised(rows[i].outputs[pool.output].data);
      }
    };
    await Promise.all(lanes.map(work));
    const runMs = performance.now() - encodedAt;
    return { encodeMs: encodedAt - startedAt, runMs, runs: groups.length, vectors };
  };
};

/** The limits of a grid by which the runs take least. */
export const bestLimits = async (offline) => {
  let best = { runMs: Infinity };
  for (const rows of ROWS)
    for (const tokens of TOKENS) {
      const { runMs: firstMs, runs } = await offline({ rows, tokens });
      // What is far off needs no second look.
      const again =
        firstMs < best.runMs * WORTH_A_SECOND ? await offline({ rows, tokens }) : { runMs: firstMs };
      const runMs = Math.min(firstMs, again.runMs);
      console.error(
        `offline, at most ${rows} rows and ${tokens} tokens: ${Math.round(runMs)} ms, ${runs} runs`,
      );
      if (runMs < best.runMs) best = { rows, tokens, runMs };
    }
  return best;
};
