import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Node takes one waiting connection a turn of the event loop, and reads its first request some turns later. So many turns
 * without either, and none waits. The other bounds it where they come without end: as many wait at most (Node's backlog),
 * and some.
 */
const QUIET_TURNS = 8;
const MOST_TURNS = 600;

/**
 * Which connections there are and which of them have a request under way. Node's own `closeIdleConnections` passes over
 * those that have never sent a request, and a browser opens such ones ahead of need: they would hold a drain for ever.
 */
export class Connections {
  /** With the number of requests that have no complete answer yet. */
  readonly #sockets = new Map<Socket, number>();
  /** Bare sockets whose TLS handshake is not over, by their client's address and port: TLS puts another in its place. */
  readonly #handshaking = new Map<string, Socket>();
  readonly #open = new Set<ServerResponse>();
  readonly #onResponseClosed: (this: ServerResponse) => void;
  #isClosing = false;
  /** Nothing new is taken any more. */
  #isClosed = false;
  /** Connections without a request so far. */
  readonly #fresh = new Set<Socket>();
  /** Connections taken and first requests read. */
  #news = 0;

  /** Watches every connection of `server`, which does not listen yet. */
  constructor(server: Server, isTls = false) {
    const sockets = this.#sockets;
    const add = (socket: Socket): void => {
      sockets.set(socket, 0);
      this.#fresh.add(socket);
      this.#news++;
      socket.once('close', () => {
        sockets.delete(socket);
        this.#fresh.delete(socket);
      });
    };
    if (isTls) this.#watchHandshakes(server, add);
    else server.on('connection', add);
    // One function for all requests: `this` tells them apart.
    const open = this.#open;
    const afterwards = (socket: Socket): void => {
      const count = sockets.get(socket);
      if (count !== undefined) sockets.set(socket, count - 1);
      // Answers that had begun before the closing leave their connection open.
      if (this.#isClosed) setImmediate(() => this.#sweep());
    };
    this.#onResponseClosed = function () {
      open.delete(this);
      afterwards(this.req.socket);
    };
  }

  /** Open now, those in their handshake too. */
  get count(): number {
    return this.#sockets.size + this.#handshaking.size;
  }

  /** False for what failed in its TLS handshake. */
  has(socket: object): boolean {
    return (this.#sockets as ReadonlyMap<object, number>).has(socket);
  }

  /** Requests under way on a connection. */
  openOn(socket: Socket): number {
    return this.#sockets.get(socket) ?? 0;
  }

  /** To be called first for every request. */
  begin(res: ServerResponse): void {
    const { socket } = res.req;
    // One that is gone is not taken up again.
    if (this.has(socket)) this.#sockets.set(socket, this.openOn(socket) + 1);
    this.#open.add(res);
    if (this.#fresh.delete(socket)) this.#news++;
    if (this.#isClosing) res.shouldKeepAlive = false;
    res.on('close', this.#onResponseClosed);
  }

  /** The requests of this socket that have no complete answer yet. */
  unansweredOn(socket: object): ServerResponse[] {
    return [...this.#open].filter((res) => res.req.socket === socket);
  }

  /**
   * From now on every answer is its connection's last, and connections without a request are closed: some turns of the
   * loop later, when the connections that wait are taken and the requests are parsed whose bytes have arrived already.
   *
   * @param stopAccepting called then; not before, because Node's `server.close` cuts idle connections at once
   */
  async closeWhenIdle(stopAccepting: () => unknown): Promise<void> {
    this.#isClosing = true;
    for (const res of this.#open) res.shouldKeepAlive = false;
    for (let turn = 0, quiet = 0; turn < MOST_TURNS && quiet < QUIET_TURNS; turn++) {
      const before = this.#news;
      await nextTurn();
      quiet = this.#news === before ? quiet + 1 : 0;
    }
    this.#isClosed = true;
    stopAccepting();
    this.#sweep();
  }

  closeNow(): void {
    for (const socket of [...this.#sockets.keys(), ...this.#handshaking.values()]) socket.destroy();
  }

  #sweep(): void {
    for (const [socket, count] of this.#sockets) if (count === 0) socket.destroy();
    for (const socket of this.#handshaking.values()) socket.destroy();
  }

  #watchHandshakes(server: Server, add: (socket: Socket) => void): void {
    const handshaking = this.#handshaking;
    const keyOf = ({ remoteAddress, remotePort }: Socket): string =>
      `${remoteAddress ?? ''} ${remotePort ?? ''}`;
    server.on('connection', (socket) => {
      const key = keyOf(socket);
      handshaking.set(key, socket);
      socket.once('close', () => {
        if (handshaking.get(key) === socket) handshaking.delete(key);
      });
    });
    server.on('secureConnection', (socket: Socket) => {
      handshaking.delete(keyOf(socket));
      add(socket);
    });
  }
}
