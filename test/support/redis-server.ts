import { spawn, spawnSync } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** Something that speaks Redis on a socket of this machine. */
export interface RedisServer {
  readonly url: string;
  /** It goes on listening and reading, and says nothing more; until told otherwise. */
  hang(isHanging: boolean): void;
  close(): Promise<void>;
}

/** A stand-in that knows `MGET` and `SET key value PX ms`, over real sockets; entries never expire. */
export const startRedisStub = async (
  entries = new Map<string, Buffer>(),
): Promise<RedisServer & { readonly entries: Map<string, Buffer> }> => {
  const sockets = new Set<Socket>();
  let isHanging = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    let unread: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      if (isHanging) return;
      unread = Buffer.concat([unread, chunk]);
      for (let next = commandIn(unread); next !== undefined; next = commandIn(unread)) {
        unread = unread.subarray(next.bytes);
        socket.write(replyTo(next.words, entries));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    entries,
    hang: (value) => (isHanging = value),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
};

/** The first whole command: `*2\r\n$4\r\nMGET\r\n$1\r\nk\r\n`. */
const commandIn = (bytes: Buffer): { readonly words: Buffer[]; readonly bytes: number } | undefined => {
  const header = /^\*(\d+)\r\n/.exec(bytes.toString('latin1', 0, 32));
  if (header === null) return undefined;
  let at = header[0].length;
  const words: Buffer[] = [];
  for (let i = 0; i < Number(header[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(bytes.toString('latin1', at, at + 32));
    if (size === null) return undefined;
    const from = at + size[0].length;
    at = from + Number(size[1]) + 2;
    if (at > bytes.byteLength) return undefined;
    words.push(bytes.subarray(from, at - 2));
  }
  return { words, bytes: at };
};

const replyTo = ([name, ...rest]: readonly Buffer[], entries: Map<string, Buffer>): Buffer => {
  const command = name?.toString().toUpperCase();
  if (command === 'SET') {
    entries.set(rest[0]?.toString() ?? '', Buffer.from(rest[1] ?? ''));
    return Buffer.from('+OK\r\n');
  }
  if (command !== 'MGET') return Buffer.from('-ERR unknown command\r\n');
  const values = rest.map((key) => bulk(entries.get(key.toString())));
  return Buffer.concat([Buffer.from(`*${values.length}\r\n`), ...values]);
};

const bulk = (value: Buffer | undefined): Buffer =>
  value === undefined
    ? Buffer.from('$-1\r\n')
    : Buffer.concat([Buffer.from(`$${value.byteLength}\r\n`), value, Buffer.from('\r\n')]);

const PROGRAM = process.env['CARPOOL_TEST_REDIS_SERVER'] ?? 'redis-server';

/** Whether the real one is on this machine: in the PATH, or where CARPOOL_TEST_REDIS_SERVER says. */
export const hasRedis = (): boolean => spawnSync(PROGRAM, ['--version']).status === 0;

/** The real one, in memory only. Hangs by SIGSTOP. */
export const startRealRedis = async (port: number): Promise<RedisServer> => {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (/ready to accept connections/i.test(printed)) resolve();
    });
    void exited.then(() => reject(new Error(`${PROGRAM} ended: ${printed}`)));
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    hang: (isHanging) => void child.kill(isHanging ? 'SIGSTOP' : 'SIGCONT'),
    close: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};
