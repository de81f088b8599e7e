/**
 * From the start of the process to its first right answer over HTTP, and the memory that it takes idle, both models
 * loaded: Carpool with thread and with process lanes, and the plain Express server. After `npm run build`, on Linux:
 *
 *   node bench/cold-start.mjs [--repeats 5] [--idleSeconds 5] [--dry]
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { machine } from './lib/machine.mjs';
import { memoryOf } from './lib/memory-of.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { startCarpool, startPeer } from './lib/servers.mjs';
import { median } from './lib/stats.mjs';

const options = readOptions({ repeats: 5, idleSeconds: 5 });
/** How often a server that does not listen yet is asked. */
const RETRY_MS = 2;
const LIMIT_MS = 60_000;

const about = machine();
const golden = JSON.parse(readFileSync(new URL('../models/spam/golden.json', import.meta.url), 'utf8'))
  .cases[0];

const isRight = ({ predictions: [first] = [] }) =>
  first?.label === golden.label && Math.abs(first.confidence - golden.score) <= 1.1e-3;

const ask = async (port) => {
  const response = await fetch(`http://127.0.0.1:${port}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ texts: [golden.text] }),
  });
  if (response.status === 503) return undefined;
  const answer = await response.json();
  if (response.status !== 200 || !isRight(answer))
    throw new Error(`wrong answer: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
};

const untilFirstAnswer = async (server) => {
  const until = performance.now() + LIMIT_MS;
  while (performance.now() < until) {
    server.assertAlive();
    // Refused until it listens.
    const answer = await ask(server.port).catch((error) => {
      if (error instanceof TypeError) return undefined;
      throw error;
    });
    if (answer !== undefined) return;
    await pause(RETRY_MS);
  }
  throw new Error(`${server.what} gave no answer within ${LIMIT_MS} ms`);
};

const CONTENDERS = {
  'carpool, thread lanes': () => startCarpool(),
  'carpool, process lanes': () => startCarpool(['--set', 'lanes.isolation=process']),
  'express-ort': () => startPeer(),
};

const results = [];
for (let repeat = 0; repeat < options.repeats; repeat++)
  for (const [what, start] of Object.entries(CONTENDERS)) {
    const startedAt = performance.now();
    const server = await start();
    try {
      await untilFirstAnswer(server);
      const firstAnswerMs = performance.now() - startedAt;
      await pause(options.idleSeconds * 1000);
      const { rss, childrenRss, allRss, allPss } = memoryOf(server.pid);
      results.push({ what, firstAnswerMs, rss, childrenRss, allRss, allPss });
    } finally {
      await server.stop();
    }
  }

const medianOf = (what, key) => median(results.filter((one) => one.what === what).map((one) => one[key]));
const peer = (key) => medianOf('express-ort', key);
const ratio = (value, base) => `${(value / base).toFixed(2)}×`;
const rows = Object.keys(CONTENDERS).map((what) => {
  const [ms, rss, all, pss] = ['firstAnswerMs', 'rss', 'allRss', 'allPss'].map((key) => medianOf(what, key));
  return {
    server: what,
    'first right answer ms': Math.round(ms),
    'against express-ort': ratio(ms, peer('firstAnswerMs')),
    'RSS of the server MiB': Math.round(rss),
    'RSS with children MiB': Math.round(all),
    'PSS with children MiB': Math.round(pss),
    'PSS against express-ort': ratio(pss, peer('allPss')),
  };
});

report({
  name: 'cold-start',
  title: 'Cold start and idle memory',
  machine: about,
  sections: [
    [
      `Medians of ${options.repeats} starts in turn; memory after ${options.idleSeconds} s idle, spam and fraud_detector loaded`,
      table(rows),
    ],
  ],
  data: { options, results, rows },
  isDry: options.dry,
});
