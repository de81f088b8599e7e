import type { Gateway } from '../gateway.js';
import type { CliHost } from './host.js';

/** SIGUSR2 switches the log to debug, and back. @returns what takes the listener off */
export const debugOnSignal = (
  gateway: Pick<Gateway, 'logLevel'>,
  { signals }: Pick<CliHost, 'signals'>,
): (() => void) => {
  // Windows has no such signal, and listening for it throws.
  if (process.platform === 'win32') return () => undefined;
  const toggle = (): void => gateway.logLevel.toggleDebug({ by: 'SIGUSR2' });
  signals.on('SIGUSR2', toggle);
  return () => void signals.off('SIGUSR2', toggle);
};
