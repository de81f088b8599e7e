import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

/** Every field that some answer has; a test reads the ones it asked for. */
export interface Body {
  readonly status?: string;
  readonly name?: string;
  readonly message?: string;
  readonly models?: unknown;
  readonly predictions?: readonly unknown[];
  readonly probabilities?: readonly (readonly number[])[];
  readonly confidence?: readonly number[];
  readonly is_fraud?: readonly boolean[];
  readonly model_name?: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly batch?: { readonly mode: string; readonly size?: number; readonly reason?: string };
  readonly error?: { readonly code: string; readonly message: string; readonly requestId: string };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Empty where the answer is no JSON object. */
  readonly body: Body;
}

export interface Sending {
  readonly method: string;
  /** Sent as it is: no dots removed, nothing escaped. */
  readonly path: string;
  /** Bytes and strings as they are, all else as JSON. */
  readonly body?: unknown;
  /** Over our own; undefined takes one of ours away. */
  readonly headers?: OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}

/** A client that keeps its connections, over Node's own http: `fetch` would tidy up paths and headers. */
export class HttpClient {
  readonly #agent: Agent;

  /** @param connections 1 makes a client that sends one request after the other */
  constructor(
    readonly url: string,
    connections = Infinity,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  get(path: string): Promise<Reply> {
    return this.send({ method: 'GET', path });
  }

  post(path: string, body: unknown): Promise<Reply> {
    return this.send({ method: 'POST', path, body });
  }

  delete(path: string): Promise<Reply> {
    return this.send({ method: 'DELETE', path });
  }

  infer(model: string, inputs: unknown, more: object = {}): Promise<Reply> {
    return this.post(`/v1/models/${model}/infer`, { inputs, ...more });
  }

  /** `POST /v1/models` */
  load(name: string, path: string): Promise<Reply> {
    return this.post('/v1/models', { name, path });
  }

  /** Value of one series of `/metrics`, `carpool_queue_rows{model="spam"}`; 0 where it is absent. */
  async metric(series: string): Promise<number> {
    const { text } = await this.get('/metrics');
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }

  /** @throws Node's error where no whole answer came */
  send({ method, path, body, headers = {}, signal }: Sending): Promise<Reply> {
    const { hostname, port } = new URL(this.url);
    const payload = payloadOf(body);
    const type = body === undefined ? undefined : 'application/json';
    const length = payload === undefined ? undefined : payload.byteLength;
    const all = defined({ 'content-type': type, 'content-length': length, ...headers });
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, hostname, port, method, path, headers: all };
      const req = request(signal === undefined ? options : { ...options, signal }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, body: bodyOf(text) });
        });
      });
      req.on('error', reject);
      req.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

const payloadOf = (body: unknown): Uint8Array | undefined => {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
};

const defined = (headers: OutgoingHttpHeaders): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));

const bodyOf = (text: string): Body => {
  try {
    return text.startsWith('{') ? (JSON.parse(text) as Body) : {};
  } catch {
    return {};
  }
};
