import { readdirSync, readFileSync } from 'node:fs';

/**
 * Milliseconds on a core, and in line for one, of every thread of a process, as Linux counts them. NaN elsewhere.
 *
 * @returns thread id -> `{cpuMs, waitedMs}`
 */
export const threadTimes = (pid) => {
  const times = new Map();
  let tasks = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return times;
  }
  for (const task of tasks) {
    try {
      const [cpu, waited] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
      times.set(Number(task), { cpuMs: Number(cpu) / 1e6, waitedMs: Number(waited) / 1e6 });
    } catch {
      // Ended between the two calls.
    }
  }
  return times;
};

/**
 * What a gateway's threads did between two `threadTimes`: its event loop, its lanes (the busiest of the other threads),
 * and the rest (garbage collection, codec, file system).
 */
export const gatewayTimes = (pid, before, after, lanes) => {
  const of = (id) => ({
    cpuMs: after.get(id).cpuMs - (before.get(id)?.cpuMs ?? 0),
    waitedMs: after.get(id).waitedMs - (before.get(id)?.waitedMs ?? 0),
  });
  if (!after.has(pid))
    return { loopMs: NaN, loopWaitedMs: NaN, lanesMs: NaN, lanesWaitedMs: NaN, otherMs: NaN };
  const rest = [...after.keys()].filter((id) => id !== pid).map(of);
  rest.sort((a, b) => b.cpuMs - a.cpuMs);
  const sum = (list, key) => list.reduce((total, one) => total + one[key], 0);
  const [busiest, others] = [rest.slice(0, lanes), rest.slice(lanes)];
  return {
    loopMs: of(pid).cpuMs,
    loopWaitedMs: of(pid).waitedMs,
    lanesMs: sum(busiest, 'cpuMs'),
    lanesWaitedMs: sum(busiest, 'waitedMs'),
    otherMs: sum(others, 'cpuMs'),
  };
};
