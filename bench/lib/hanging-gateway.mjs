import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createGateway } from '../../dist/src/gateway.js';
import { openThreadLink } from '../../dist/src/executor/thread-link.js';

/** A gateway in a process of its own whose threads hang when a row says so: see test/support/hanging-worker. */
export const startHanging = async (config) => {
  const child = fork(fileURLToPath(import.meta.url), ['child', JSON.stringify(config)]);
  const [{ port }] = await once(child, 'message');
  return { port, pid: child.pid, child, stop: () => child.kill('SIGKILL') };
};

if (process.argv[2] === 'child' && process.send !== undefined) {
  const entry = new URL('../../dist/test/support/hanging-worker.js', import.meta.url);
  const gateway = createGateway(JSON.parse(process.argv[3]), { openLane: openThreadLink(entry) });
  process.send(await gateway.listen());
}
