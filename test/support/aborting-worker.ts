import type { LaneRequest } from '../../src/executor/protocol.js';
import '../../src/executor/worker.js';

/** The real worker in a process, but some files crash the runtime, hang it, or fill the memory, by their folder's name. */
const hoard: Buffer[] = [];
process.on('message', (request: LaneRequest) => {
  if (request.type !== 'load') return;
  if (request.spec.file.includes('aborts')) process.kill(process.pid, 'SIGABRT');
  while (request.spec.file.includes('hangs')) Math.random();
  while (request.spec.file.includes('hoards')) hoard.push(Buffer.alloc(16 * 1024 * 1024, 1));
});
