import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { availableCores, laneLayout } from '../../src/executor/cpu-quota.js';

const MACHINE = availableParallelism();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carpool-cgroup-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Cores that a process with these cgroup files has; `own` is its /proc/self/cgroup. */
const coresOf = (files: Readonly<Record<string, string>>, own?: string): number => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'fs', name)), { recursive: true });
    writeFileSync(join(folder, 'fs', name), text);
  }
  if (own !== undefined) writeFileSync(join(folder, 'own'), own);
  return availableCores(join(folder, 'fs'), join(folder, 'own'));
};

describe('the cores that may be used', () => {
  it('are those of the machine where nothing is limited', () => {
    expect(coresOf({})).toBe(MACHINE);
    expect(coresOf({ 'cpu.max': 'max 100000\n' }, '0::/\n')).toBe(MACHINE);
    expect(coresOf({ 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' })).toBe(MACHINE);
  });

  it('are those of the machine where half of a v1 limit is missing', () => {
    expect(coresOf({ 'cpu/cpu.cfs_quota_us': '100000\n' })).toBe(MACHINE);
  });

  it.each([
    ['100000 100000\n', 1],
    ['50000 100000\n', 0.5],
    ['25000 50000', 0.5],
    ['99999999 100000\n', MACHINE],
    ['0 100000\n', MACHINE],
    ['nonsense\n', MACHINE],
    ['', MACHINE],
  ])('of cgroup v2 with cpu.max %j are %d', (max, cores) => {
    expect(coresOf({ 'cpu.max': max }, '0::/\n')).toBe(cores);
  });

  it('of nested v2 groups are the least of all levels', () => {
    const files = {
      'a/b/c/cpu.max': 'max 100000\n',
      'a/b/cpu.max': '75000 100000\n',
      'a/cpu.max': '100000 100000\n',
    };
    expect(coresOf(files, '0::/a/b/c\n')).toBe(0.75);
    expect(coresOf(files, '0::/a\n')).toBe(1);
    expect(coresOf(files, '0::/other\n')).toBe(MACHINE);
    // A group with a limit whose children have none of their own.
    expect(coresOf({ 'cpu.max': '25000 100000\n' }, '0::/a/b/c\n')).toBe(0.25);
  });

  it('are found among the lines of a machine with both versions', () => {
    const own = '12:cpu,cpuacct:/a\n1:name=systemd:/a\n0::/a\n';
    expect(coresOf({ 'a/cpu.max': '50000 100000\n' }, own)).toBe(0.5);
  });

  it.each([
    ['100000', '100000', 1],
    ['30000', '50000', 0.6],
    ['-1', '50000', MACHINE],
    ['50000', '0', MACHINE],
  ])('of cgroup v1 with quota %s in %s are %d', (quota, period, cores) => {
    expect(coresOf({ 'cpu/cpu.cfs_quota_us': `${quota}\n`, 'cpu/cpu.cfs_period_us': `${period}\n` })).toBe(
      cores,
    );
  });

  it('of nested v1 groups are the least of all levels, wherever the controller is mounted', () => {
    const v1 = (folder: string, quota: number): Record<string, string> => ({
      [`${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
      [`${folder}/cpu.cfs_period_us`]: '100000\n',
    });
    const own = (group: string): string => `5:memory:/m\n4:cpu,cpuacct:${group}\n3:cpuset:/s\n0::/u\n`;
    const files = { ...v1('cpu,cpuacct', -1), ...v1('cpu,cpuacct/a', 75_000), ...v1('cpu,cpuacct/a/b', -1) };
    expect(coresOf(files, own('/a/b'))).toBe(0.75);
    expect(coresOf(files, own('/a'))).toBe(0.75);
    expect(coresOf(files, own('/other'))).toBe(MACHINE);
    expect(coresOf(files, own('/'))).toBe(MACHINE);
    expect(coresOf(v1('cpu/c', 25_000), '2:cpuacct:/d\n1:cpu:/c\n')).toBe(0.25);
    // Neither cpuset nor cpuacct is the one that holds quotas.
    expect(coresOf({}, '2:cpuset:/c\n3:cpuacct:/c\n')).toBe(MACHINE);
  });

  it('of a container that sees only its own v1 group are those of that', () => {
    const files = { 'cpu/cpu.cfs_quota_us': '50000\n', 'cpu/cpu.cfs_period_us': '100000\n' };
    expect(coresOf(files, '4:cpu,cpuacct:/docker/0123\n')).toBe(0.5);
  });

  it('of this very process are known', () => {
    expect(availableCores()).toBeGreaterThan(0);
    expect(availableCores()).toBeLessThanOrEqual(MACHINE);
  });
});

describe('lanes and threads', () => {
  it.each([
    ['auto', 'auto', 4, 4, 1],
    ['auto', 'auto', 0.5, 1, 1],
    ['auto', 'auto', 3.9, 3, 1],
    ['auto', 2, 8, 4, 2],
    ['auto', 16, 8, 1, 16],
    [2, 'auto', 8, 2, 4],
    [3, 'auto', 8, 3, 2],
    [16, 'auto', 8, 16, 1],
    [5, 7, 2, 5, 7],
  ] as const)('for count %s, threads %s on %d cores: %i x %i', (count, threads, cores, lanes, each) => {
    expect(laneLayout(count, threads, cores)).toEqual({ count: lanes, intraOpThreads: each });
  });
});
