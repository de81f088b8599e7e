/**
 * Loaded before a server by `NODE_OPTIONS=--import=…`, and so before its child processes and threads too: on SIGUSR2 each
 * of them collects its garbage. What is in memory afterwards is what is still held.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
// A signal reaches the main thread alone.
const channel = new BroadcastChannel('bench: collect garbage');
channel.unref();
if (isMainThread)
  process.on('SIGUSR2', () => {
    channel.postMessage('now');
    collect();
  });
else channel.onmessage = () => collect();
