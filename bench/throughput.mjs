/**
 * Requests a second in a closed loop: Carpool with its defaults, Carpool without batching, and the plain Express server,
 * in turn, so that whatever else the machine does hits all of them. Every answer is checked. After `npm run build`:
 *
 *   node bench/throughput.mjs [--rounds 3] [--seconds 1.5] [--clients 1,16,64] [--peerThreads 1] [--dry]
 */
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from './lib/load-process.mjs';
import { machine } from './lib/machine.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool, startPeer } from './lib/servers.mjs';
import { median } from './lib/stats.mjs';
import { fraudQuestions, spamQuestions } from './lib/workloads.mjs';

const options = readOptions({ rounds: 3, seconds: 1.5, clients: '1,16,64', peerThreads: 1 });
const levels = options.clients.split(',').map(Number);
const WARM_SECONDS = 1;
/** Between two runs: what the last one left behind is cleaned up. */
const PAUSE_MS = 100;

const about = machine();
const workloads = {
  'spam, one short text': await spamQuestions({ count: 1_000, fewestWords: 4, mostWords: 16 }),
  'fraud_detector, one row': fraudQuestions(),
};

const servers = await Promise.all([
  // The rows asked for repeat: sharing their answers would be no measure of batching.
  startCarpool(['--set', 'batching.singleFlight=false'], 'carpool'),
  startCarpool(['--set', 'batching.singleFlight=false', '--set', 'batching.maxBatch=1'], 'maxBatch=1'),
  startPeer(options.peerThreads, 'express-ort'),
]);
const results = [];
try {
  await Promise.all(servers.map(listening));
  for (const [workload, questions] of Object.entries(workloads)) {
    const load = await startLoad(questions);
    for (const { port } of servers) await load.run({ port, clients: 16, seconds: WARM_SECONDS });
    for (let round = 0; round < options.rounds; round++)
      for (const clients of levels)
        for (const { what, port } of servers) {
          const { perSecond, p50, p99 } = await load.run({ port, clients, seconds: options.seconds });
          results.push({ workload, clients, what, round, perSecond, p50, p99 });
          await pause(PAUSE_MS);
        }
    load.stop();
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}

const medianOf = (workload, clients, what, key) =>
  median(
    results
      .filter((one) => one.workload === workload && one.clients === clients && one.what === what)
      .map((one) => one[key]),
  );

const rows = Object.keys(workloads).flatMap((workload) =>
  levels.map((clients) => {
    const of = (what, key = 'perSecond') => medianOf(workload, clients, what, key);
    return {
      workload,
      clients,
      'carpool /s': Math.round(of('carpool')),
      'maxBatch=1 /s': Math.round(of('maxBatch=1')),
      'express-ort /s': Math.round(of('express-ort')),
      'against maxBatch=1': `${(of('carpool') / of('maxBatch=1')).toFixed(2)}×`,
      'against express-ort': `${(of('carpool') / of('express-ort')).toFixed(2)}×`,
      'carpool p50 / p99 ms': `${of('carpool', 'p50').toFixed(2)} / ${of('carpool', 'p99').toFixed(2)}`,
      'express-ort p50 / p99 ms': `${of('express-ort', 'p50').toFixed(2)} / ${of('express-ort', 'p99').toFixed(2)}`,
    };
  }),
);

report({
  name: 'throughput',
  title: 'Throughput, closed loop',
  machine: about,
  sections: [[`Medians of ${options.rounds} rounds of ${options.seconds} s, answers checked`, table(rows)]],
  data: { options, results, rows },
  isDry: options.dry,
});
