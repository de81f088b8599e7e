import type { Verification } from '../models/invariance/verify.js';
import { closeQuietly, loadCliConfig } from './common.js';
import type { CliHost, ConfigOptions, Ending } from './host.js';
import { failureText, oneLine } from './model-line.js';
import { startupMessage } from './startup-error.js';
import { verificationJson, verificationLines } from './verify-report.js';

export interface VerifyOptions extends ConfigOptions {
  /** Folder of the one model to try; default: all that the config loads. */
  readonly model?: string;
  readonly json?: boolean;
  /** Lane time for each model, as typed. */
  readonly seconds?: string;
}

const DEFAULT_SECONDS = 20;

/**
 * `carpool verify`: loads models as `serve` would, and tries whether any row's answer depends on its neighbours: alone,
 * with rows of its length, with longer and shorter ones, in many batch sizes and places. Prints what was found, what is
 * served, and whether that is right.
 *
 * Exit code 0: no model, as it is served, lets one request change another's answer, nor one text another's. 1: one does,
 * one could not be loaded, or the config is wrong. 2: wrong usage.
 *
 * @throws ConfigError
 */
export const verifyCommand = async (options: VerifyOptions, host: CliHost): Promise<Ending> => {
  const seconds = Number(options.seconds ?? DEFAULT_SECONDS);
  if (!(seconds > 0 && seconds <= 3_600)) {
    host.stderr.write(`--seconds: expected a number above 0, at most 3600, got "${options.seconds ?? ''}"\n`);
    return { exitCode: 2, atOnce: false, isRunning: () => false };
  }
  const { config } = loadCliConfig(options, host);
  const gateway = host.createGateway({
    ...config,
    server: { ...config.server, drainDelayMs: 0 },
    log: { ...config.log, level: 'silent' },
    models: { ...config.models, ...(options.model === undefined ? {} : { load: [options.model] }) },
  });
  let exitCode: 0 | 1 = 1;
  try {
    const report = await gateway.ready();
    const found: Verification[] = [];
    for (const { name } of report.models) found.push(await gateway.verify(name, seconds * 1_000));
    const failures = report.failed.map((model) => `FAILED  ${oneLine(model.name)}  ${failureText(model)}`);
    const lines = [...found.flatMap(verificationLines), ...failures];
    const text = options.json === true ? verificationJson(found, report.failed) : lines.join('\n');
    host.stdout.write(`${text}\n`);
    exitCode = failures.length === 0 && found.every(({ ok }) => ok) ? 0 : 1;
  } catch (error) {
    host.stderr.write(`${startupMessage(error, config)}\n`);
  }
  const closed = await closeQuietly(gateway);
  return { exitCode, atOnce: closed !== 'drained', isRunning: () => gateway.isRunning() };
};
