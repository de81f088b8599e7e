/**
 * Real clients of other servers against a gateway from dist, with the shipped models and the test models:
 *
 *   npm run test:clients [-- --required] [-- --only triton] [-- --write]
 *
 * The parts are `triton` (tritonclient by HTTP and gRPC), `kserve` (KServe's own clients) and `perf` (perf_analyzer). They
 * come from PyPI into a virtual environment in the folder CARPOOL_CLIENTS_VENV names, else in a temporary one. A part that
 * can't be had is skipped, and says why; with --required that is a failure. With --write the figures of perf_analyzer
 * become a file in bench/results.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startGateway, tempModelRoot } from '../../dist/test/support/start-gateway.js';
import { machine } from '../../bench/lib/machine.mjs';
import { report, table } from '../../bench/lib/report.mjs';
import { runPerfAnalyzer } from './perf-analyzer.mjs';
import { makePython, Skip } from './python-env.mjs';

const { values: options } = parseArgs({
  options: {
    required: { type: 'boolean', default: false },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const about = machine();
const PINNED = {
  triton: ['tritonclient[http,grpc]==2.73.0', 'numpy==2.4.6'],
  kserve: ['kserve==0.21.0'],
};
const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
const SECTION =
  'As the server counts them, no single flight; spam gets token ids of four lengths, and only equal ones share a run';
const LIMIT_MS = 180_000;

const runPython = async (python, script, args) => {
  const file = fileURLToPath(new URL(`python/${script}`, import.meta.url));
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(python, [file, ...args], { stdio: 'inherit', timeout: LIMIT_MS, env });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${script}: exit ${code ?? signal}`);
};

const gatewayOf = async () => {
  const root = await tempModelRoot();
  const running = await startGateway({
    grpc: { enabled: true, host: '127.0.0.1', port: 0 },
    models: { root: root.path, load: ['spam', 'fraud_detector'], default: 'spam' },
    // perf_analyzer repeats its requests: shared answers would say nothing of batching.
    batching: { singleFlight: false, calibrate: 'idle' },
  });
  for (const name of ['dtypes', 'multi_io', 'bigint']) await running.client.load(name, `${name}.onnx`);
  const http = new URL(running.url).host;
  return {
    http,
    grpc: `${running.grpc.host}:${running.grpc.port}`,
    close: async () => {
      const how = await running.close();
      await root.remove();
      if (how !== 'drained') throw new Error(`the gateway closed by ${how}, not drained`);
    },
  };
};

const PARTS = {
  triton: async (folder, { http, grpc }) => {
    const python = await makePython(join(folder, 'triton'), PINNED.triton);
    const failures = [];
    for (const [kind, at] of Object.entries({ http, grpc }))
      await runPython(python, 'triton.py', [kind, at, MODELS]).catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  },
  kserve: async (folder, { http, grpc }) => {
    const python = await makePython(join(folder, 'kserve'), PINNED.kserve);
    await runPython(python, 'kserve_client.py', [http, grpc, MODELS]);
  },
  perf: async (folder, { http, grpc }) => {
    const rows = await runPerfAnalyzer(join(folder, 'perf'), { http, grpc });
    report({
      name: 'perf-analyzer',
      title: 'perf_analyzer, by HTTP and by gRPC',
      machine: about,
      sections: [[SECTION, table(rows)]],
      data: { rows },
      isDry: !options.write,
    });
  },
};

if (options.only !== undefined && !(options.only in PARTS))
  throw new Error(`--only: expected ${Object.keys(PARTS).join(', ')}; got ${options.only}`);

// An empty one is none: it would be the working folder.
const kept = process.env.CARPOOL_CLIENTS_VENV || undefined;
const folder = kept ?? (await mkdtemp(join(tmpdir(), 'carpool-clients-')));
const gateway = await gatewayOf();
const outcome = {};
try {
  for (const [part, run] of Object.entries(PARTS)) {
    if (options.only !== undefined && options.only !== part) continue;
    console.log(`\n── ${part}`);
    try {
      await run(folder, gateway);
      outcome[part] = 'passed';
    } catch (error) {
      const isSkip = error instanceof Skip;
      outcome[part] = `${isSkip ? 'skipped' : 'FAILED'}: ${error.message}`;
      if (!isSkip || options.required) process.exitCode = 1;
    }
  }
} finally {
  await gateway.close();
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}
console.log(
  `\n${Object.entries(outcome)
    .map(([part, how]) => `${part}: ${how}`)
    .join('\n')}`,
);
