import { Gauge, type Registry } from 'prom-client';

/** `fn` is asked at every scrape for the bytes that all models' requests hold. */
export const createQueueBytesMetric = (registry: Registry): ((fn: () => number) => void) => {
  let read = (): number => 0;
  new Gauge({
    name: 'carpool_queue_bytes',
    help: 'Bytes of inputs that wait or run.',
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
  return (fn) => (read = fn);
};
