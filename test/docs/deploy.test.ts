import { describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const DEPLOY = path.join(PROJECT, 'deploy');
const textOf = (...parts: string[]): string => readFileSync(path.join(DEPLOY, ...parts), 'utf8');
const yamlOf = (...parts: string[]): unknown => parse(textOf(...parts));

const inTemp = <T>(run: (folder: string) => T): T => {
  const folder = mkdtempSync(path.join(tmpdir(), 'carpool-deploy-'));
  try {
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** As `carpool serve` reads it. @throws ConfigError */
const configOf = (yaml: string, set: readonly string[] = []): Config =>
  inTemp((folder) => {
    const file = path.join(folder, 'config.yaml');
    writeFileSync(file, yaml);
    return loadConfig({ file, env: {}, set }).config;
  });

const probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.number()]) }),
  periodSeconds: z.number(),
  failureThreshold: z.number().optional(),
});
const container = z.object({
  image: z.string(),
  args: z.array(z.string()),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  startupProbe: probe.optional(),
  readinessProbe: probe,
  livenessProbe: probe,
});
const deployment = z
  .object({
    spec: z.object({
      template: z.object({
        spec: z.object({ terminationGracePeriodSeconds: z.number(), containers: z.tuple([container]) }),
      }),
    }),
  })
  .parse(yamlOf('kubernetes', 'deployment.yaml')).spec.template.spec;
const [pod] = deployment.containers;
const runtime = z
  .object({ spec: z.object({ containers: z.tuple([container]) }) })
  .parse(yamlOf('kserve', 'serving-runtime.yaml')).spec.containers[0];
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8')));

const secondsToStop = ({ server }: Config): number => (server.drainDelayMs + server.drainTimeoutMs) / 1000;

describe('Kubernetes', () => {
  const { data } = z
    .object({ data: z.object({ 'config.yaml': z.string() }) })
    .parse(yamlOf('kubernetes', 'configmap.yaml'));
  const config = configOf(data['config.yaml']);

  it('gives it longer to stop than it takes, and longer to start than it may', () => {
    expect(deployment.terminationGracePeriodSeconds).toBeGreaterThan(secondsToStop(config));
    const { periodSeconds = 0, failureThreshold = 0 } = pod.startupProbe ?? {};
    expect(periodSeconds * failureThreshold * 1000).toBeGreaterThan(config.models.startupTimeoutMs);
  });

  it('looks where it listens', () => {
    expect(pod.ports).toEqual([
      { name: 'http', containerPort: config.server.port },
      { name: 'grpc', containerPort: config.grpc.port },
    ]);
    expect([config.server.host, config.grpc.host, config.grpc.enabled]).toEqual(['0.0.0.0', '0.0.0.0', true]);
    for (const { httpGet } of [pod.readinessProbe, pod.livenessProbe, pod.startupProbe!])
      expect([httpGet.port, ['/readyz', '/healthz'].includes(httpGet.path)]).toEqual(['http', true]);
  });

  it('scales by a metric that there is', () => {
    const series = /seriesQuery: (\w+?)_bucket\{/.exec(textOf('kubernetes', 'autoscaler.yaml'))?.[1];
    expect(readFileSync(path.join(PROJECT, 'docs/metrics.md'), 'utf8')).toContain(`| \`${series ?? '?'}\` |`);
  });

  it('applies every manifest', () => {
    const { resources } = z
      .object({ resources: z.array(z.string()) })
      .parse(yamlOf('kubernetes', 'kustomization.yaml'));
    const others = readdirSync(path.join(DEPLOY, 'kubernetes')).filter(
      (name) => name !== 'kustomization.yaml',
    );
    expect([...resources].sort()).toEqual(others.sort());
  });

  it('runs this version', () => {
    expect([pod.image, runtime.image]).toEqual([`carpool:${version}`, `carpool:${version}`]);
  });
});

describe('KServe', () => {
  it('starts it with options that there are, and looks where it listens', () => {
    const set = runtime.args.flatMap((arg) => (arg.startsWith('--set=') ? [arg.slice('--set='.length)] : []));
    expect(['serve', ...set.map((each) => `--set=${each}`)]).toEqual(runtime.args);
    const { server, grpc, models } = configOf('{}', set);
    expect([server.host, grpc.enabled, models.root]).toEqual(['0.0.0.0', true, '/mnt/models']);
    expect(runtime.ports[0]?.containerPort).toBe(server.port);
    expect([runtime.readinessProbe.httpGet, runtime.livenessProbe.httpGet]).toEqual([
      { path: '/v2/health/ready', port: server.port },
      { path: '/v2/health/live', port: server.port },
    ]);
  });
});

describe('systemd', () => {
  it('waits longer than the default time to stop', () => {
    const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(textOf('systemd', 'carpool.service'))?.[1]);
    expect(seconds).toBeGreaterThan(secondsToStop(configOf('{}')));
  });
});

describe('the image', () => {
  const dockerfile = textOf('docker', 'Dockerfile');
  const config = configOf(textOf('docker', 'config.yaml'));

  it('has a config that is right, and stops within the time of docker stop', () => {
    expect([config.server.host, config.models.root]).toEqual(['0.0.0.0', '/models']);
    const { services } = z
      .object({ services: z.object({ carpool: z.object({ stop_grace_period: z.string() }) }) })
      .parse(yamlOf('docker', 'compose.yaml'));
    expect(parseInt(services.carpool.stop_grace_period)).toBeGreaterThan(secondsToStop(config));
  });

  it('copies what there is, and .dockerignore lets it through', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    expect(sources.length).toBeGreaterThan(6);
    const let_through = [...textOf('docker', 'Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(
      ([, name = '']) => name,
    );
    for (const source of sources) {
      expect([source, existsSync(path.join(PROJECT, source))]).toEqual([source, true]);
      expect([source, let_through.some((name) => source === name || source.startsWith(`${name}/`))]).toEqual([source, true]); // prettier-ignore
    }
  });

  it('keeps the binaries of one platform of ONNX Runtime', () => {
    inTemp((folder) => {
      const bin = path.join(folder, 'bin/napi-v6');
      const files = ['linux/x64/a.node', 'linux/x64/libonnxruntime_providers_cuda.so', 'linux/arm64/a.node', 'win32/x64/a.node']; // prettier-ignore
      for (const file of files) {
        mkdirSync(path.dirname(path.join(bin, file)), { recursive: true });
        writeFileSync(path.join(bin, file), 'x');
      }
      const prune = (arch: string): number | null =>
        spawnSync(process.execPath, [
          path.join(DEPLOY, 'docker/prune-onnxruntime.mjs'),
          folder,
          'linux',
          arch,
        ]).status;
      expect(prune('x64')).toBe(0);
      expect(files.map((file) => existsSync(path.join(bin, file)))).toEqual([true, false, false, false]);
      expect(prune('s390x')).toBe(1);
    });
  });

  it.each([
    [200, 0],
    [503, 1],
  ])('is healthy where /healthz answers so (%d)', async (status, exitCode) => {
    const asked: unknown[] = [];
    const server = createServer((req, res) => {
      asked.push(req.url);
      res.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const env = { ...process.env, CARPOOL_PORT: String(port) };
    const child = spawn(process.execPath, [path.join(DEPLOY, 'docker/health.mjs')], { env });
    expect([(await once(child, 'exit'))[0], asked]).toEqual([exitCode, ['/healthz']]);
    server.closeAllConnections();
    server.close();
  });
});

describe('compose and Prometheus', () => {
  it('mount files that there are', () => {
    const mounts = [...textOf('docker', 'compose.yaml').matchAll(/^ +- (\.\.\/\S+?):/gm)].map(
      ([, name = '']) => name,
    );
    expect(mounts.length).toBeGreaterThan(3);
    for (const mount of mounts)
      expect([mount, existsSync(path.join(DEPLOY, 'docker', mount))]).toEqual([mount, true]);
    const { rule_files } = z
      .object({ rule_files: z.array(z.string()) })
      .parse(yamlOf('prometheus', 'prometheus.yaml'));
    for (const file of rule_files)
      expect([file, existsSync(path.join(DEPLOY, 'prometheus', file))]).toEqual([file, true]);
  });
});

describe('licences', () => {
  it('are allowed, all of them, and THIRD-PARTY.md lists them', () => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(DEPLOY, 'licences.mjs')], {
      encoding: 'utf8',
    });
    expect([stderr, status]).toEqual(['', 0]);
  });
});
