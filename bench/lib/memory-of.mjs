import { readdirSync, readFileSync } from 'node:fs';

const MIB = 1024;

/** MiB of a line such as `VmRSS:  1234 kB`. */
const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN) / MIB;

const read = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** Ids of the processes that a process has started, from /proc: Linux only. */
export const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).trim().split(' ').filter(Boolean).map(Number),
  );

/**
 * Memory in MiB. RSS counts pages that processes share once for each of them, PSS shares them out: the PSS of parent and
 * children may be added up, their RSS only with care. Freed by the time of reading: NaN.
 */
export const memoryOf = (pid) => {
  const own = of(pid);
  const children = childrenOf(pid).map(of);
  const sum = (key) => children.reduce((total, child) => total + child[key], own[key]);
  return {
    rss: own.rss,
    childrenRss: children.map((child) => child.rss),
    allRss: sum('rss'),
    allPss: sum('pss'),
  };
};

const of = (pid) => ({
  rss: field(read(`/proc/${pid}/status`), 'VmRSS'),
  pss: field(read(`/proc/${pid}/smaps_rollup`), 'Pss'),
});
