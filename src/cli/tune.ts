import { readFile } from 'node:fs/promises';
import { nearest } from '../config/nearest.js';
import type { Config } from '../config/schema.js';
import { CarpoolError, messageOf } from '../errors.js';
import { availableCores } from '../executor/cpu-quota.js';
import { listModels } from '../models/repository.js';
import { parseNumber } from '../sim/numbers.js';
import { lengthLaw } from '../sim/scenario.js';
import { createSystemClock } from '../telemetry/system-clock.js';
import { openBench } from '../tune/bench.js';
import { reportText } from '../tune/text.js';
import { tune, type TuneDeps, type TuneOptions } from '../tune/tune.js';
import { loadCliConfig } from './common.js';
import { ended, type CliHost, type ConfigOptions, type Ending, type Output } from './host.js';

/** As the command line says it: every value a text. */
export interface TuneCommandOptions extends ConfigOptions {
  readonly model: string;
  /** Milliseconds. Default: `sloMs` of the config. */
  readonly slo?: string;
  /** Seconds of measuring, of each layout. Default 6. */
  readonly budget?: string;
  /** As in `carpool simulate`; for models that take texts. Default lognormal:40,0.8. */
  readonly lengths?: string;
  readonly lengthsFile?: string;
  readonly json?: boolean;
}

/**
 * `carpool tune`: measures one model in the lane layouts that this machine has room for, and prints what batching is worth,
 * which layout serves most, and the lines for config.yaml. Progress goes to stderr.
 *
 * @returns exit code 2 for an option that says nothing sensible
 * @throws ConfigError; MODEL_NOT_FOUND naming the nearest; what loading and measuring throw
 */
export const tuneCommand = async (
  options: TuneCommandOptions,
  host: CliHost,
  deps: Partial<Pick<TuneDeps, 'cores' | 'open' | 'play'>> = {},
): Promise<Ending> => {
  let settings: TuneOptions;
  try {
    settings = await readOptions(options);
  } catch (error) {
    host.stderr.write(`${messageOf(error)}\n`);
    return ended(2);
  }
  const { config } = loadCliConfig(options, host);
  await checkModel(options.model, config);
  const progress = progressOn(host.stderr);
  const clock = createSystemClock();
  const report = await tune(settings, {
    cores: availableCores(),
    open: (layout) => openBench(config, layout, options.model, clock),
    ...deps,
    onProgress: progress.show,
  }).finally(progress.end);
  const text = options.json === true ? JSON.stringify(report, undefined, 2) : reportText(report);
  host.stdout.write(`${text}\n`);
  return ended(0);
};

const readOptions = async (options: TuneCommandOptions): Promise<TuneOptions> => {
  const { slo, budget, lengths = 'lognormal:40,0.8', lengthsFile } = options;
  const seen = lengthsFile === undefined ? undefined : await readFile(lengthsFile, 'utf8');
  return {
    ...(slo === undefined ? {} : { sloMs: parseNumber('--slo', slo, 0) }),
    budgetMs: 1000 * parseNumber('--budget', budget, 6),
    lengths: lengthLaw(lengths, seen),
  };
};

const checkModel = async (name: string, { models }: Config): Promise<void> => {
  const names = await listModels(models.root);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const hint = near === undefined ? `there are: ${names.join(', ') || 'none'}` : `did you mean '${near}'?`;
  throw new CarpoolError('MODEL_NOT_FOUND', `--model: no model '${name}' in the model root; ${hint}`);
};

/** One line that changes on a terminal, one line a step elsewhere. */
const progressOn = (out: Output): { readonly show: (step: string) => void; readonly end: () => void } => {
  if (out.isTTY !== true) return { show: (step) => void out.write(`${step}\n`), end: () => undefined };
  const clear = '\r\u001b[2K';
  return { show: (step) => void out.write(`${clear}${step} …`), end: () => void out.write(clear) };
};
