import { Lane } from '../../src/executor/lane.js';
import type { Isolation } from '../../src/executor/link.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { failureOf, slowBatch, specOf, valuesAt } from './lanes.js';

/**
 * What a lane leaves behind can only be seen from outside: run as `lane-script <kind> <what>` in a process of its own.
 * It ends by itself when nothing holds it; `process.exit` is called nowhere but in `orphan`.
 */
const [, , kind, what] = process.argv;
const open = openLinkOf(kind === 'process' ? 'process' : ('thread' satisfies Isolation));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const scripts: Record<string, () => Promise<void>> = {
  /** The lane is given up in the middle of a run, and nothing is left to do. */
  'discard-in-run': async () => {
    const lane = new Lane(open);
    await lane.load(specOf('slow'));
    const first = lane.run('slow', slowBatch());
    const rest = [failureOf(lane.run('slow', slowBatch())), failureOf(lane.run('slow', slowBatch()))];
    // Now it is in the second, or about to be.
    await first;
    lane.discard('given up');
    for (const failure of await Promise.all(rest)) say(failure);
    say(`running ${lane.running}`);
    void lane.ended.then((reason) => say(`${reason}, running ${lane.running}`));
  },
  'stop-idle': async () => {
    const lane = new Lane(open);
    await lane.load(specOf('multi_io'));
    await lane.stop();
    say(await lane.ended);
  },
  /** The gateway goes while the lane has work. */
  orphan: async () => {
    const lane = new Lane(open);
    await lane.load(specOf('slow'));
    const first = lane.run('slow', slowBatch());
    // Still to come when the gateway goes.
    for (let i = 0; i < 2; i++) lane.run('slow', slowBatch()).catch(() => undefined);
    await first;
    process.exit(3);
  },
  /** The system has no process to give. */
  'no-process': async () => {
    const execPath = process.execPath;
    process.execPath = '/nowhere/node';
    const lane = new Lane(open);
    say(await failureOf(lane.ready));
    process.execPath = execPath;
    const better = new Lane(open);
    await better.load(specOf('slow'));
    say(String(valuesAt(await better.run('slow', slowBatch()))[0]));
    await better.stop();
  },
};

await scripts[what ?? '']?.();
