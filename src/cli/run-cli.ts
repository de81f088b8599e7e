import { Command, CommanderError } from 'commander';
import { OptionError } from '../sim/numbers.js';
import { check } from './check.js';
import { ended, type CliHost, type ConfigOptions, type Ending } from './host.js';
import { keyCommand, type KeyOptions } from './key.js';
import { serve } from './serve.js';
import { simulateCommand, type SimulateCommandOptions } from './simulate.js';
import { startupMessage } from './startup-error.js';
import { tuneCommand, type TuneCommandOptions } from './tune.js';
import { verifyCommand, type VerifyOptions } from './verify.js';

const DESCRIPTIONS = {
  serve: 'serve the models of the config until SIGTERM or SIGINT',
  check: 'check the config and load every model once; exit 0 when all is well, else 1',
};

const buildProgram = (host: CliHost, onEnding: (ending: Ending) => void): Command => {
  const program = new Command('carpool')
    .description('Dynamic micro-batching inference gateway for ONNX models.')
    .version(host.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    });
  const commands = { serve, check };
  for (const name of ['serve', 'check'] as const)
    withConfig(program.command(name))
      .description(DESCRIPTIONS[name])
      .action(async (options: ConfigOptions) => {
        onEnding(await commands[name](options, host));
      });
  addVerify(program, host, onEnding);
  addSimulate(program, host, onEnding);
  addTune(program, host, onEnding);
  addKey(program, host, onEnding);
  return program;
};

const addKey = (program: Command, host: CliHost, onEnding: (ending: Ending) => void): void => {
  program
    .command('key')
    .description('make an API key for a caller: prints it once, and the lines for the config')
    .argument('<name>', 'of the caller')
    .option('--roles <names>', 'of access.roles, with commas between', 'user')
    .action((name: string, options: KeyOptions) => onEnding(keyCommand(name, options, host)));
};

const addVerify = (program: Command, host: CliHost, onEnding: (ending: Ending) => void): void => {
  withConfig(program.command('verify'))
    .description(
      "try whether rows change each other's answers; exit 0 when none does as it is served, else 1",
    )
    .option('--model <name>', 'this one only (default: all that the config loads)')
    .option('--seconds <n>', 'lane time for each model (default: 20)')
    .option('--json', 'print JSON instead of tables')
    .action(async (options: VerifyOptions) => {
      onEnding(await verifyCommand(options, host));
    });
};

const withConfig = (command: Command): Command =>
  command
    .option('-c, --config <file>', 'config file (default: CARPOOL_CONFIG, else ./config.yaml)')
    .option('--set <key=value...>', 'override a key of the config: --set batching.maxBatch=8');

/** Its options are those of `TuneCommandOptions`. */
const addTune = (program: Command, host: CliHost, onEnding: (ending: Ending) => void): void => {
  withConfig(program.command('tune'))
    .description(
      'measure a model on this machine: what batching is worth, which lanes, and the lines for config.yaml',
    )
    .requiredOption('--model <name>', 'folder of the model, in models.root')
    .option('--slo <ms>', 'time in which an answer is wanted (default: as configured)')
    .option('--budget <seconds>', 'time for measuring, of each layout (default: 6)')
    .option('--lengths <law>', 'of texts: lognormal:40,0.8 (default)  fixed:16  file')
    .option('--lengths-file <file>', 'one length a line, for --lengths file')
    .option('--json', 'print JSON instead of tables')
    .action(async (options: TuneCommandOptions) => {
      onEnding(await tuneCommand(options, host));
    });
};

/** Its options are those of `SimulateCommandOptions`; values are read there, where the messages are. */
const addSimulate = (program: Command, host: CliHost, onEnding: (ending: Ending) => void): void => {
  program
    .command('simulate')
    .description(
      'play arrivals through the batcher on a virtual clock; --suite compares with the rules of other servers',
    )
    .option('--suite', 'capacity, overload and bulk in nine settings, against the goals')
    .option('--json', 'print JSON instead of tables')
    .option('--rule <name>', 'cost (default), none, fifo, …')
    .option('--rate <perSecond>', 'arrivals a second')
    .option('--arrivals <kind>', 'poisson (default) or bursts')
    .option('--clients <n>', 'a closed loop of so many clients instead of a rate')
    .option('--think <ms>', 'pause of a client between answer and next request')
    .option('--requests <n>', 'how many')
    .option('--lengths <law>', 'lognormal:40,0.8  fixed:16  file')
    .option('--lengths-file <file>', 'one length a line, for --lengths file')
    .option('--rows <n>', 'rows of a request')
    .option('--cost <coefficients>', 'alphaMs,betaMsPerToken,kneeTokens,quadMsPerTokenSquared')
    .option('--lanes <n>', 'lanes')
    .option('--machine <cores,parseMs,answerMs,sendMs>', 'what HTTP takes of cores that the lanes share')
    .option('--slo <ms>', 'SLO')
    .option('--deadline <ms>', 'time that each request has')
    .option('--max-batch <n>', 'most rows of one run')
    .option('--echo-hold <ms>', 'longest wait for callers who are about to return (batching.echoHoldMs)')
    .option('--bulk <rows,everyMs>', 'a large request now and then')
    .option('--trace <file>', 'recorded arrivals, JSON lines {"atMs", "length"}')
    .option('--seed <n>', 'seed of all that is random')
    .action(async (options: SimulateCommandOptions) => {
      onEnding(ended((await simulateCommand(options, host.stdout)) === 0 ? 0 : 1));
    });
};

/**
 * Runs one command line.
 *
 * @param args without the program's own name: `['serve', '--set', 'server.port=0']`.
 * @returns how the process is to end; never rejects.
 */
export const runCli = async (args: readonly string[], host: CliHost): Promise<Ending> => {
  let ending = ended(0);
  try {
    await buildProgram(host, (its) => (ending = its)).parseAsync(args, { from: 'user' });
    return ending;
  } catch (error) {
    // Commander has printed its own message, and says 0 after --help and --version.
    if (error instanceof CommanderError) return ended(error.exitCode === 0 ? 0 : 2);
    const isOption = error instanceof OptionError;
    host.stderr.write(`${isOption ? error.message : startupMessage(error)}\n`);
    return ended(isOption ? 2 : 1);
  }
};
