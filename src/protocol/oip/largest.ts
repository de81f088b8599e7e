/**
 * Indices (from 0) of the `count` largest of `values[from, from + length)`, largest first, of equals the first; NaN is
 * the smallest of all. A heap of `count`: its root is the smallest of those kept, and nearly every value is refused by
 * one look at it.
 */
export const largest = (values: ArrayLike<number>, from: number, length: number, count: number): number[] => {
  const valueAt = (index: number): number => {
    const value = values[from + index] ?? NaN;
    return Number.isNaN(value) ? -Infinity : value;
  };
  const isLess = (a: number, b: number): boolean => {
    const left = valueAt(a);
    const right = valueAt(b);
    return left < right || (left === right && a > b);
  };
  const heap = Array.from({ length: Math.min(count, length) }, (_, index) => index);
  const sink = (start: number): void => {
    for (let at = start; ;) {
      const left = 2 * at + 1;
      let least = at;
      for (let child = left; child <= left + 1 && child < heap.length; child++)
        if (isLess(heap[child] ?? 0, heap[least] ?? 0)) least = child;
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least] ?? 0, heap[at] ?? 0];
      at = least;
    }
  };
  for (let at = heap.length >> 1; at >= 0; at--) sink(at);
  for (let index = heap.length; index < length; index++)
    if (isLess(heap[0] ?? 0, index)) {
      heap[0] = index;
      sink(0);
    }
  return heap.sort((a, b) => (isLess(a, b) ? 1 : -1));
};
