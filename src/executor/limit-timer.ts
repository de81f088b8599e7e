/** Into so many parts a limit is cut. */
const TICKS = 10;

/**
 * Calls `onOver` once when `limitMs` have passed, counted in tenths: time in which the gateway itself stood still (a
 * stopped process, a frozen container, a suspended machine) is one tenth at most. The lanes may have stood still too.
 * @returns what stops it
 */
export const startLimit = (limitMs: number, onOver: () => void): (() => void) => {
  if (limitMs === Infinity) return () => undefined;
  let ticks = 0;
  const timer = setInterval(
    () => {
      if (++ticks < TICKS) return;
      clearInterval(timer);
      onOver();
    },
    Math.max(1, limitMs / TICKS),
  );
  return () => clearInterval(timer);
};
