import { readFile } from 'node:fs/promises';
import { runSuite, type SuiteOptions } from '../sim/suite.js';
import { verdictsOn } from '../sim/goals.js';
import { playScenario, type SimulateOptions } from '../sim/scenario.js';
import { reportTable, suiteTables } from '../sim/tables.js';

export type { SimulateOptions } from '../sim/scenario.js';

export interface SimulateCommandOptions extends SimulateOptions {
  /** A recorded trace instead of `--rate`. */
  readonly trace?: string;
  /** A file with one length a line; for `--lengths file`. */
  readonly lengthsFile?: string;
  /** Capacities, overload and bulk in nine settings, against the peers' rules and the goals. */
  readonly suite?: boolean;
  readonly json?: boolean;
}

/**
 * `carpool simulate`: plays one scenario, or the suite, through the batcher on a virtual clock and prints what came of it.
 *
 * @returns the exit code: 0, or 1 where a goal of the suite was missed
 * @throws OptionError that says what was expected of an option, and what came
 */
export const simulateCommand = async (
  options: SimulateCommandOptions,
  out: { readonly write: (text: string) => unknown },
  suiteOptions: SuiteOptions = { nowMs: () => performance.now() },
): Promise<number> => {
  const print = (value: unknown, table: () => string): void => {
    out.write(`${options.json === true ? JSON.stringify(value, undefined, 2) : table()}\n`);
  };
  if (options.suite === true) {
    const result = await runSuite(suiteOptions);
    const verdicts = result.cells.map(verdictsOn);
    const cells = result.cells.map((cell, i) => ({ ...cell, verdicts: verdicts[i] }));
    print({ ...result, cells }, () => suiteTables(result));
    return verdicts.flat().every(({ pass }) => pass) ? 0 : 1;
  }
  const read = (file?: string): Promise<string> | undefined =>
    file === undefined ? undefined : readFile(file, 'utf8');
  const report = await playScenario(options, await read(options.trace), await read(options.lengthsFile));
  print(report, () => reportTable(report));
  return 0;
};
