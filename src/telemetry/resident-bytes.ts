import { readFile } from 'node:fs/promises';

/** Resident memory of another process; 0 where it is gone, and where the system has no /proc. */
export const residentBytesOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  // In kB whatever the size of a page, unlike statm.
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
};
