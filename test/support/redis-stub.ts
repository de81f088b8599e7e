import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** So much of Redis as counting in it needs, over a real socket. */
export interface RedisStub {
  readonly url: string;
  /** Key -> count. */
  readonly counts: ReadonlyMap<string, number>;
  /** From now on commands are read and not answered. */
  hang(): void;
  close(): Promise<void>;
}

/** Windows that do not end: nobody waits for them here. */
const TTL_MS = 42_000;

export const startRedisStub = async (): Promise<RedisStub> => {
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  let isHanging = false;

  const answer = ([name = '', ...rest]: readonly string[]): string => {
    switch (name.toLowerCase()) {
      case 'info':
        return bulk('redis_version:7.2.0\r\nloading:0\r\n');
      case 'evalsha':
        return '-NOSCRIPT No matching script.\r\n';
      case 'eval': {
        const [, , key = '', points = '0'] = rest;
        const count = (counts.get(key) ?? 0) + Number(points);
        counts.set(key, count);
        return `*2\r\n:${count}\r\n:${TTL_MS}\r\n`;
      }
      default:
        return '+OK\r\n';
    }
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    let received = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      for (let command = commandIn(received); command !== undefined; command = commandIn(received)) {
        received = received.slice(command.bytes);
        if (!isHanging) socket.write(answer(command.words));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    counts,
    hang: () => {
      isHanging = true;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** `*2\r\n$4\r\ninfo\r\n…`; undefined while it is not all there. */
const commandIn = (text: string): { words: string[]; bytes: number } | undefined => {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i++) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (length === null) return undefined;
    at += length[0].length;
    const end = at + Number(length[1]);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(at, end));
    at = end + 2;
  }
  return { words, bytes: at };
};
