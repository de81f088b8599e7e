/** A line that may be written stands for `oneIn` requests; undefined = skip. */
export interface AccessSampler {
  sample(nowMs: number): { readonly oneIn: number } | undefined;
}

const WINDOW_MS = 1000;
/** How much coarser the sampling gets each time that a burst has used up its window's lines. */
const COARSER = 4;

/**
 * All up to `linesPerSecond`, above it every Nth. N starts at what the second before would have needed and grows within
 * a burst, so a window writes a few times `linesPerSecond` lines at worst, whatever arrives.
 */
export const createAccessSampler = (linesPerSecond: number): AccessSampler => {
  let windowEndMs = -Infinity;
  let arrived = 0;
  let written = 0;
  let oneIn = 1;
  let skipped = 0;

  const openWindow = (nowMs: number): void => {
    const isNext = nowMs < windowEndMs + WINDOW_MS;
    oneIn = isNext ? Math.max(1, Math.ceil(arrived / linesPerSecond)) : 1;
    windowEndMs = nowMs + WINDOW_MS;
    arrived = 0;
    written = 0;
    skipped = 0;
  };

  return {
    sample: (nowMs) => {
      if (linesPerSecond <= 0) return undefined;
      if (nowMs >= windowEndMs) openWindow(nowMs);
      arrived++;
      if (++skipped < oneIn) return undefined;
      skipped = 0;
      const line = { oneIn };
      if (++written >= linesPerSecond) {
        oneIn *= COARSER;
        written = 0;
      }
      return line;
    },
  };
};

/** At most `limit` a second; counts what it held back. */
export interface RateCap {
  allow(nowMs: number): boolean;
  /** Number held back since the last call. */
  takeSuppressed(): number;
}

export const createRateCap = (limit: number): RateCap => {
  let windowEndMs = -Infinity;
  let allowed = 0;
  let suppressed = 0;
  return {
    allow: (nowMs) => {
      if (nowMs >= windowEndMs) {
        windowEndMs = nowMs + WINDOW_MS;
        allowed = 0;
      }
      if (allowed < limit) {
        allowed++;
        return true;
      }
      suppressed++;
      return false;
    },
    takeSuppressed: () => {
      const count = suppressed;
      suppressed = 0;
      return count;
    },
  };
};
