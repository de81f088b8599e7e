import type { BigIntStats } from 'node:fs';

/**
 * How a file looks from outside: another text whenever it has been written or replaced. Who writes a file in place can
 * set its size and its mtime, not its ctime.
 */
export const looksOf = ({
  dev,
  ino,
  size,
  mtimeNs,
  ctimeNs,
}: Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(':');
