import { requireSafeBind } from '../access/safe-bind.js';
import { closeQuietly, loadCliConfig } from './common.js';
import type { CliHost, ConfigOptions, Ending } from './host.js';
import { alignColumns, failureText, modelColumns, oneLine } from './model-line.js';
import { notesOn } from './notes.js';
import { startupMessage } from './startup-error.js';

/**
 * `carpool check`: loads every model that `serve` would load, as `serve` would load it, and prints a line for each.
 * It does not listen, and does not log: a check can run beside the server that it is for.
 *
 * @throws ConfigError
 */
export const check = async (options: ConfigOptions, host: CliHost): Promise<Ending> => {
  const { config, file } = loadCliConfig(options, host);
  requireSafeBind(config);
  const gateway = host.createGateway({
    ...config,
    server: { ...config.server, drainDelayMs: 0 },
    log: { ...config.log, level: 'silent' },
  });
  let exitCode: 0 | 1 = 1;
  try {
    const report = await gateway.ready();
    const lines = [
      `OK      config  ${file ?? 'defaults (no config.yaml here)'}`,
      ...alignColumns(report.models.map(modelColumns)).map((line) => `OK      ${line}`),
      ...report.failed.map((model) => `FAILED  ${oneLine(model.name)}  ${failureText(model)}`),
      ...notesOn(config, report).map((note) => `NOTE    ${note}`),
    ];
    host.stdout.write(`${lines.join('\n')}\n`);
    exitCode = report.failed.length === 0 ? 0 : 1;
  } catch (error) {
    host.stderr.write(`${startupMessage(error, config)}\n`);
  }
  const closed = await closeQuietly(gateway);
  return { exitCode, atOnce: closed !== 'drained', isRunning: () => gateway.isRunning() };
};
