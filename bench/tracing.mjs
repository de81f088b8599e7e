/**
 * What traces cost at capacity, in a closed loop: no collector configured, none of the traces sampled, one in ten, all of
 * them, in turn. Rates depend on what else the machine does; the event loop's CPU time per request hardly does. After
 * `npm run build`:
 *
 *   node bench/tracing.mjs [--rounds 7] [--seconds 2] [--clients 64] [--dry]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gatewayTimes, threadTimes } from './lib/cpu-of.mjs';
import { startLoad } from './lib/load-process.mjs';
import { machine } from './lib/machine.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool } from './lib/servers.mjs';
import { median } from './lib/stats.mjs';
import { fraudQuestions, spamQuestions } from './lib/workloads.mjs';

const WARM_SECONDS = 2;
const LANES = 1;

/** A collector that takes everything and keeps nothing, in a process of its own. */
const collect = async () => {
  const server = createServer((req, res) => {
    req.resume().on('end', () => res.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send({ port: server.address().port });
};

const bench = async () => {
  const options = readOptions({ rounds: 7, seconds: 2, clients: 64 });
  const about = machine();
  const collector = fork(fileURLToPath(import.meta.url), ['collector']);
  const [{ port: collectorPort }] = await once(collector, 'message');
  const arm = (what, ...tracing) =>
    startCarpool(
      ['batching.singleFlight=false', `lanes.count=${LANES}`, 'lanes.intraOpThreads=1', ...tracing].flatMap(
        (each) => ['--set', each],
      ),
      what,
    );
  const url = `tracing.otlpUrl=http://127.0.0.1:${collectorPort}`;
  const servers = await Promise.all([
    arm('off'),
    arm('none sampled', url, 'tracing.sampleRatio=0'),
    arm('one in ten', url, 'tracing.sampleRatio=0.1'),
    arm('all', url, 'tracing.sampleRatio=1'),
  ]);
  const workloads = {
    'spam, one short text': await spamQuestions({ count: 1_000, fewestWords: 4, mostWords: 16 }),
    'fraud_detector, one row': fraudQuestions(),
  };
  const results = [];
  try {
    await Promise.all(servers.map(listening));
    for (const [workload, questions] of Object.entries(workloads)) {
      const load = await startLoad(questions);
      const { clients } = options;
      for (const { port } of servers) await load.run({ port, clients, seconds: WARM_SECONDS });
      for (let round = 0; round < options.rounds; round++)
        for (let i = 0; i < servers.length; i++) {
          // Another one begins in each round: whoever follows a pause has it easier.
          const { what, port, pid } = servers[(i + round) % servers.length];
          const before = threadTimes(pid);
          const { perSecond, p99, answers } = await load.run({ port, clients, seconds: options.seconds });
          const { loopMs } = gatewayTimes(pid, before, threadTimes(pid), LANES);
          results.push({ workload, what, round, perSecond, p99, loopUs: (loopMs * 1000) / answers });
        }
      load.stop();
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    collector.kill();
  }

  const medianOf = (workload, what, key) =>
    median(results.filter((one) => one.workload === workload && one.what === what).map((one) => one[key]));
  const rows = Object.keys(workloads).flatMap((workload) =>
    servers.map(({ what }) => {
      const of = (key) => medianOf(workload, what, key);
      const share = (key) => `${((of(key) / medianOf(workload, 'off', key) - 1) * 100).toFixed(1)} %`;
      return {
        workload,
        traces: what,
        '/s': Math.round(of('perSecond')),
        'rate against off': share('perSecond'),
        'loop µs a request': of('loopUs').toFixed(1),
        'loop against off': share('loopUs'),
        'p99 ms': of('p99').toFixed(1),
      };
    }),
  );
  report({
    name: 'tracing',
    title: 'What traces cost at capacity',
    machine: about,
    sections: [[`${options.clients} callers, one lane, medians of ${options.rounds} rounds`, table(rows)]],
    data: { options, results },
    isDry: options.dry,
  });
};

await (process.argv[2] === 'collector' ? collect() : bench());
