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
  readonly #sockets = new Set<Socket>();
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
  constructor(server: Server) {
    const sockets = this.#sockets;
    server.on('connection', (socket) => {
      sockets.add(socket);
      this.#fresh.add(socket);
      this.#news++;
      socket.once('close', () => {
        sockets.delete(socket);
        this.#fresh.delete(socket);
      });
    });
    // One function for all requests: `this` tells them apart.
    const open = this.#open;
    const afterwards = (): void => {
      // Answers that had begun before the closing leave their connection open.
      if (this.#isClosed) setImmediate(() => this.#sweep());
    };
    this.#onResponseClosed = function () {
      open.delete(this);
      afterwards();
    };
  }

  /** To be called first for every request. */
  begin(res: ServerResponse): void {
    this.#open.add(res);
    if (this.#fresh.delete(res.req.socket)) this.#news++;
    if (this.#isClosing) res.shouldKeepAlive = false;
    res.on('close', this.#onResponseClosed);
  }

  /** The requests of this socket that have no complete answer yet. */
  openOn(socket: object): ServerResponse[] {
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
    for (const socket of this.#sockets) socket.destroy();
  }

  #sweep(): void {
    const busy = new Set<Socket>();
    for (const res of this.#open) busy.add(res.req.socket);
    for (const socket of this.#sockets) if (!busy.has(socket)) socket.destroy();
  }
}
