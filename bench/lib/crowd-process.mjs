import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/**
 * Connections that nobody wants, from a process of their own: a file descriptor each, so that one process has room for
 * so many. Half of them are good and idle (one request, then silence); the others are slow or vanish, a fifth each:
 *
 *   silent     says nothing                          headers    sends a byte of its headers now and then
 *   body       sends a byte of its body now and then  deaf       asks for 1.4 MB and reads nothing
 *   vanishing  sends half a request, resets the connection and comes again
 *
 * What the server cuts off comes again after a moment.
 */
export const startCrowd = async (port, connections) => {
  const child = fork(fileURLToPath(import.meta.url), ['child', String(port), String(connections)]);
  const ask = async (question) => {
    child.send(question);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return {
    /** @returns `{open, opened, cut}`: open now; opened and cut off by the server since the start */
    count: () => ask('count'),
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
};

const DRIP_MS = 1000;
const VANISH_MS = 500;
const AGAIN_MS = 1000;
/** New connections a tick of 10 ms: a backlog of 511 is all that the system holds for a server. */
const AT_ONCE = 20;

const GET = 'GET /healthz HTTP/1.1\r\nhost: bench\r\n\r\n';
const LARGE = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: bench\r\n\r\n';
const POST =
  'POST /predict HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n';
const KINDS = ['silent', 'headers', 'body', 'deaf', 'vanishing'];

const crowd = (port, connections) => {
  const state = { open: 0, opened: 0, cut: 0 };
  const waiting = [];
  const open = (kind) => {
    const socket = connect(port, '127.0.0.1');
    let timer;
    let isOurs = false;
    socket.on('error', () => undefined);
    socket.once('connect', () => {
      state.open++;
      state.opened++;
      const drip = (first, byte) => {
        socket.write(first);
        timer = setInterval(() => socket.write(byte), DRIP_MS);
      };
      if (kind === 'good') socket.write(GET);
      if (kind === 'headers') drip('GET /healthz HTTP/1.1\r\nx-long: ', 'x');
      if (kind === 'body') drip(POST, ' ');
      if (kind === 'deaf') socket.pause().write(LARGE);
      if (kind === 'vanishing') {
        socket.write('POST /predict HTTP/1.1\r\nhost');
        timer = setTimeout(
          () => {
            isOurs = true;
            socket.resetAndDestroy();
          },
          VANISH_MS * (0.5 + Math.random()),
        );
      }
      socket.once('close', () => state.open--);
    });
    if (kind !== 'deaf') socket.resume();
    socket.once('close', () => {
      clearTimeout(timer);
      if (!isOurs) state.cut++;
      setTimeout(() => waiting.push(kind), isOurs ? 0 : AGAIN_MS * Math.random());
    });
  };
  for (let i = 0; i < connections; i++) waiting.push(i % 2 === 0 ? 'good' : KINDS[(i >> 1) % KINDS.length]);
  setInterval(() => {
    for (const kind of waiting.splice(0, AT_ONCE)) open(kind);
  }, 10);
  process.on('message', () => process.send(state));
  process.on('disconnect', () => process.exit());
};

if (process.argv[2] === 'child' && process.send !== undefined)
  crowd(Number(process.argv[3]), Number(process.argv[4]));
