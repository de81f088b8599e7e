import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createGateway } from '../../dist/src/index.js';
import { LoopMeter } from './loop-meter.mjs';

/** A gateway in a process of its own with a meter on its event loop. Run as the child, it is that process. */
export const startMetered = async (config) => {
  const child = fork(fileURLToPath(import.meta.url), ['child', JSON.stringify(config)], {
    serialization: 'advanced',
    // A signal of the shell would end it before the bench has what it wants.
    detached: false,
  });
  const ask = async (message) => {
    child.send(message);
    const [reply] = await once(child, 'message');
    return reply;
  };
  const [{ port }] = await once(child, 'message');
  return {
    port,
    pid: child.pid,
    reset: () => ask('reset'),
    read: () => ask('read'),
    stop: async () => {
      child.send('stop');
      await once(child, 'exit');
    },
  };
};

if (process.argv[2] === 'child' && process.send !== undefined) {
  const gateway = createGateway(JSON.parse(process.argv[3]));
  const { port } = await gateway.listen();
  const meter = new LoopMeter();
  process.on('message', async (message) => {
    if (message === 'read') process.send(meter.read());
    else if (message === 'reset') process.send({ done: meter.reset() });
    else {
      await gateway.close();
      process.exit();
    }
  });
  process.send({ port });
}
