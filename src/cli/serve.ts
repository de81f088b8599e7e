import type { LoadedConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import type { Gateway } from '../gateway.js';
import { renderBanner } from './banner.js';
import { closeQuietly, loadCliConfig } from './common.js';
import { debugOnSignal } from './debug-signal.js';
import type { CliHost, ConfigOptions, Ending, Output } from './host.js';
import { startupMessage } from './startup-error.js';
import { stopOnSignals, type Stop } from './stop-signals.js';

/** Where JSON log lines go to stdout, stdout holds nothing else. */
const bannerOutput = ({ log }: Config, { stdout, stderr }: CliHost): Output => {
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && stdout.isTTY === true);
  return isPretty ? stdout : stderr;
};

/** @returns what went wrong; undefined when the gateway listens, or when a signal cut the start short. */
const start = async (
  gateway: Gateway,
  { config, file }: LoadedConfig,
  stop: Stop,
  host: CliHost,
): Promise<{ readonly error: unknown } | undefined> => {
  try {
    const { url, grpc } = await gateway.listen();
    const report = await gateway.ready();
    if (!stop.isRequested())
      bannerOutput(config, host).write(
        renderBanner({ version: host.version, url, grpc, report, config, file }),
      );
    return undefined;
  } catch (error) {
    return stop.isRequested() ? undefined : { error };
  }
};

/**
 * `carpool serve`: runs until a signal stops it. Models that fail to load are printed and the rest is served, even
 * when none is left: readiness says so, and models can be loaded later. SIGHUP reads the configuration again.
 *
 * @throws ConfigError
 */
export const serve = async (options: ConfigOptions, host: CliHost): Promise<Ending> => {
  const loaded = loadCliConfig(options, host);
  const gateway = host.createGateway(loaded.config);
  const isRunning = (): boolean => gateway.isRunning();
  const stop = stopOnSignals(gateway, host);
  const ignoreDebug = debugOnSignal(gateway, host);
  const reload = (): void => void gateway.reload(() => loadCliConfig(options, host).config);
  // On a terminal it means that the terminal is gone: then it ends the process, as it always does.
  const hears = host.stdout.isTTY !== true;
  if (hears) host.signals.on('SIGHUP', reload);
  try {
    // A start that hangs must not keep a signal from ending it.
    const failure = await Promise.race([
      start(gateway, loaded, stop, host),
      stop.outcome.then(() => undefined),
    ]);
    if (failure !== undefined) {
      host.stderr.write(`${startupMessage(failure.error, loaded.config)}\n`);
      const closed = await Promise.race([closeQuietly(gateway), stop.outcome]);
      return { exitCode: 1, atOnce: closed !== 'drained', isRunning };
    }
    const outcome = await stop.outcome;
    if (outcome === 'deadline')
      host.stderr.write(
        `server.drainTimeoutMs (${loaded.config.server.drainTimeoutMs}) is over: stopping at once\n`,
      );
    const isDrained = outcome === 'drained';
    return { exitCode: isDrained ? 0 : 1, atOnce: !isDrained, isRunning };
  } finally {
    if (hears) host.signals.off('SIGHUP', reload);
    stop.dispose();
    ignoreDebug();
  }
};
