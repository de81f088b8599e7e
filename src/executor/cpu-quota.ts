import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Cores that this process may use: the cgroup's CPU quota where one is set (a container's limit, which ONNX Runtime's own
 * default ignores), else the number of cores. May be a fraction.
 */
export const availableCores = (root = '/sys/fs/cgroup', own = '/proc/self/cgroup'): number =>
  Math.min(availableParallelism(), quotaV2(root, own), quotaV1(root));

/** cgroup v2: `cpu.max` holds "<quota|max> <period>"; every ancestor's limit holds too. */
const quotaV2 = (root: string, own: string): number => {
  const path = /^0::(.*)$/m.exec(read(own) ?? '')?.[1] ?? '/';
  let quota = Infinity;
  for (let group = path; ; group = dirname(group)) {
    const [max, period] = (read(join(root, group, 'cpu.max')) ?? 'max 1').split(/\s+/).map(Number);
    if (max !== undefined && period !== undefined && max > 0 && period > 0)
      quota = Math.min(quota, max / period);
    if (group === '/' || group === '.') return quota;
  }
};

/** cgroup v1: a quota of -1 is none. */
const quotaV1 = (root: string): number => {
  const quota = Number(read(join(root, 'cpu/cpu.cfs_quota_us')) ?? -1);
  const period = Number(read(join(root, 'cpu/cpu.cfs_period_us')) ?? 0);
  return quota > 0 && period > 0 ? quota / period : Infinity;
};

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
