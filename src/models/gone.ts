/** Nothing is there; a path that no file system can hold and links that lead round and round among them. */
const GONE: readonly string[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'];
const LOCKED: readonly string[] = ['EACCES', 'EPERM'];

/** Node's code of an error of the file system. */
export const fileErrorOf = (error: unknown): string =>
  String((error as { code?: unknown } | null | undefined)?.code ?? error);

/**
 * Does an error say that nothing is there? Most say nothing of the kind: too many open files, a disk or a server that
 * fails. Who took these for a removed model would unload it.
 */
export const isGone = (error: unknown): boolean => GONE.includes(fileErrorOf(error));

/** Is it there, but closed to us? */
export const isLocked = (error: unknown): boolean => LOCKED.includes(fileErrorOf(error));

/**
 * @returns undefined where nothing is there, or what is there is closed to us: a volume's `lost+found` is no model
 * @throws what else went wrong
 */
export const unlessClosed = <T>(work: Promise<T>): Promise<T | undefined> =>
  work.catch((error: unknown) => {
    if (isGone(error) || isLocked(error)) return undefined;
    throw error;
  });
