import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Cores that this process may use: the cgroup's CPU quota where one is set (a container's limit, which ONNX Runtime's own
 * default ignores), else the number of cores. May be a fraction.
 *
 * @param root where the cgroup file systems are mounted
 * @param own says which groups this process is in
 */
export const availableCores = (root = '/sys/fs/cgroup', own = '/proc/self/cgroup'): number =>
  Math.min(availableParallelism(), quotaV2(root, own), quotaV1(root, own));

/** cgroup v2: `cpu.max` holds "<quota|max> <period>". */
const quotaV2 = (root: string, own: string): number =>
  leastUpwards(/^0::(.*)$/m.exec(read(own) ?? '')?.[1], (group) => {
    const [quota, period] = (read(join(root, group, 'cpu.max')) ?? '').split(/\s+/).map(Number);
    return coresOf(quota, period);
  });

/** cgroup v1: two files; a quota of -1 is none. The controller may be mounted together with others: `cpu,cpuacct`. */
const quotaV1 = (root: string, own: string): number => {
  const line = /^\d+:((?:[^:\n]*,)?cpu(?:,[^:\n]*)?):(.*)$/m.exec(read(own) ?? '');
  const quotaAt = (folder: string): number =>
    coresOf(
      Number(read(join(folder, 'cpu.cfs_quota_us')) ?? NaN),
      Number(read(join(folder, 'cpu.cfs_period_us')) ?? NaN),
    );
  const mounts = new Set(['cpu', line?.[1] ?? 'cpu']);
  return leastUpwards(line?.[2], (group) =>
    Math.min(...[...mounts].map((mount) => quotaAt(join(root, mount, group)))),
  );
};

/**
 * Every ancestor's limit holds too. A container may see only the bottom of the tree: its own group then lies at the
 * root, and what its path names is not there.
 */
const leastUpwards = (path = '/', quotaOf: (group: string) => number): number => {
  let least = Infinity;
  for (let group = path; ; group = dirname(group)) {
    least = Math.min(least, quotaOf(group));
    if (group === '/' || group === '.') return least;
  }
};

/** Infinity for `max`, -1, and whatever says nothing. */
const coresOf = (quota = NaN, period = NaN): number => (quota > 0 && period > 0 ? quota / period : Infinity);

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
};

export interface LaneLayout {
  readonly count: number;
  readonly intraOpThreads: number;
}

/**
 * Lanes x threads for a number of cores. Both `auto`: one-thread lanes, as many as whole cores, since several narrow
 * lanes serve small inputs 1.25-1.46x as fast as one wide one. One of them given: the other fills the cores.
 */
export const laneLayout = (
  count: number | 'auto',
  intraOpThreads: number | 'auto',
  cores: number,
): LaneLayout => {
  const whole = Math.max(1, Math.floor(cores));
  if (count === 'auto' && intraOpThreads === 'auto') return { count: whole, intraOpThreads: 1 };
  if (count === 'auto')
    return {
      count: Math.max(1, Math.floor(whole / Number(intraOpThreads))),
      intraOpThreads: Number(intraOpThreads),
    };
  if (intraOpThreads === 'auto') return { count, intraOpThreads: Math.max(1, Math.floor(whole / count)) };
  return { count, intraOpThreads };
};
