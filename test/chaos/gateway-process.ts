import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface HostState {
  /** Lanes that take work now. */
  readonly lanePids: readonly number[];
  readonly lanesLost: number;
  /** Error lines of the log other than those about lost lanes: each is a bug of ours. */
  readonly faults: readonly string[];
}

export interface HostRequest {
  readonly type: 'state' | 'close';
  readonly id: number;
}

export type HostReply =
  | { readonly type: 'listening'; readonly port: number; readonly grpcPort: number }
  | { readonly type: 'state'; readonly id: number; readonly state: HostState }
  | { readonly type: 'closed'; readonly id: number; readonly outcome: 'drained' | 'deadline' };

/** The parent's end of gateway-host: a gateway that can die without taking the test with it. */
export class GatewayProcess {
  readonly port: number;
  /** 0 where gRPC is off. */
  readonly grpcPort: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: HostReply) => void>();
  #nextId = 1;
  #end: string | undefined;

  private constructor(child: ChildProcess, { port, grpcPort }: HostReply & { type: 'listening' }) {
    this.port = port;
    this.grpcPort = grpcPort;
    this.#child = child;
    child.on('message', (reply) => {
      const message = reply as HostReply;
      if (message.type !== 'listening') this.#waiting.get(message.id)?.(message);
    });
    child.on('exit', (code, signal) => (this.#end = signal ?? `code ${code ?? '?'}`));
  }

  /** @throws Error when the gateway ends before it listens */
  static async start(config: object): Promise<GatewayProcess> {
    const child = fork(new URL('./gateway-host.js', import.meta.url), [JSON.stringify(config)], {
      execArgv: [],
    });
    const exit = once(child, 'exit').then(([code]) => {
      throw new Error(`the gateway ended with code ${String(code)} before it listened`);
    });
    const [first] = (await Promise.race([once(child, 'message'), exit])) as [HostReply];
    exit.catch(() => undefined);
    if (first.type !== 'listening') throw new Error(`expected 'listening', got '${first.type}'`);
    return new GatewayProcess(child, first);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** How the process ended; undefined while it lives. */
  get end(): string | undefined {
    return this.#end;
  }

  async state(): Promise<HostState> {
    const reply = await this.#ask('state');
    if (reply.type !== 'state') throw new Error(`expected 'state', got '${reply.type}'`);
    return reply.state;
  }

  /** Closes the gateway, then waits for the process to end by itself. @returns how it went: `drained, code 0` is right */
  async close(limitMs: number): Promise<string> {
    const reply = await this.#ask('close');
    const outcome = reply.type === 'closed' ? reply.outcome : reply.type;
    if (this.#end === undefined) {
      const limit = setTimeout(() => this.kill(), limitMs);
      await once(this.#child, 'exit');
      clearTimeout(limit);
    }
    return `${outcome}, ${this.#end ?? '?'}`;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(type: HostRequest['type']): Promise<HostReply> {
    if (this.#end !== undefined) throw new Error(`the gateway has ended with ${this.#end}`);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`the gateway ended with ${this.#end ?? '?'}`));
      this.#child.once('exit', onExit);
      this.#waiting.set(id, (reply) => {
        this.#waiting.delete(id);
        this.#child.off('exit', onExit);
        resolve(reply);
      });
      this.#child.send({ type, id } satisfies HostRequest);
    });
  }
}
