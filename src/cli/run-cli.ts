import { Command, CommanderError } from 'commander';
import { check } from './check.js';
import { ended, type CliHost, type ConfigOptions, type Ending } from './host.js';
import { serve } from './serve.js';
import { startupMessage } from './startup-error.js';

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
    program
      .command(name)
      .description(DESCRIPTIONS[name])
      .option('-c, --config <file>', 'config file (default: CARPOOL_CONFIG, else ./config.yaml)')
      .option('--set <key=value...>', 'override a key of the config: --set batching.maxBatch=8')
      .action(async (options: ConfigOptions) => {
        onEnding(await commands[name](options, host));
      });
  return program;
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
    host.stderr.write(`${startupMessage(error)}\n`);
    return ended(1);
  }
};
