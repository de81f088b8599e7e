import { readFile, writeFile } from 'node:fs/promises';
import { Lane } from '../../executor/lane.js';
import type { OpenLink } from '../../executor/link.js';

export interface TrialLimits {
  readonly timeoutMs: number;
  /** Of memory in use (RSS). Only watched on Linux. */
  readonly memoryBytes: number;
  /** Nobody wants to know any more: it ends at the next look. Default: somebody does. */
  readonly isClosing?: () => boolean;
}

/** Between two looks at its memory: a model that fills a gigabyte in less is seen a little late. */
const LOOK_MS = 50;

/**
 * Runs `work` in a lane of its own, which is gone afterwards, whatever became of it.
 * @throws WORKER_LOST with the reason where it died, or broke a limit
 */
export const onLaneApart = async <T>(
  open: OpenLink,
  { timeoutMs, memoryBytes, isClosing = () => false }: TrialLimits,
  work: (lane: Lane) => Promise<T>,
): Promise<T> => {
  const lane = new Lane(open);
  const timer = setTimeout(() => lane.discard(`it was not done within ${timeoutMs} ms`), timeoutMs);
  const look = setInterval(() => {
    if (isClosing() && !lane.lost) lane.discard('the gateway is shutting down');
    void residentBytes(lane.pid).then((bytes) => {
      if (bytes > memoryBytes && !lane.lost)
        lane.discard(`it took ${bytes} bytes of memory, more than ${memoryBytes}`);
    });
  }, LOOK_MS);
  // Where the machine is short of memory, the kernel should take this one before any other.
  if (lane.pid !== undefined)
    void writeFile(`/proc/${lane.pid}/oom_score_adj`, '1000').catch(() => undefined);
  try {
    await lane.ready;
    return await work(lane);
  } finally {
    clearTimeout(timer);
    clearInterval(look);
    if (!lane.lost) lane.discard('the trial is over');
    await lane.ended;
  }
};

/** 0 where it can't be known. */
const residentBytes = async (pid: number | undefined): Promise<number> => {
  if (pid === undefined) return 0;
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
};
