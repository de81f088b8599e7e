import { once } from 'node:events';
import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

export interface OipReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The JSON, or the JSON in front of binary data; undefined where there is none. */
  readonly json: OipJson;
  /** What follows the JSON. */
  readonly binary: Buffer;
  readonly bytes: Buffer;
}

export interface OipTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
}

/** Every field that some answer has. */
export interface OipJson {
  readonly error?: string;
  readonly id?: string;
  readonly model_name?: string;
  readonly model_version?: string;
  readonly outputs?: readonly OipTensor[];
}

/** An input of a request: its bytes go behind the JSON where it has any. */
export interface OipInput {
  readonly name: string;
  readonly shape: unknown;
  readonly datatype: unknown;
  readonly data?: unknown;
  readonly parameters?: object;
  readonly bytes?: Uint8Array;
}

/** JSON, then the bytes of the inputs that have any; with the header's value. */
export const framed = (
  inputs: readonly OipInput[],
  more: object = {},
): { readonly body: Buffer; readonly headers: OutgoingHttpHeaders } => {
  const described = inputs.map(({ bytes, parameters, ...input }) => ({
    ...input,
    ...(bytes === undefined && parameters === undefined
      ? {}
      : { parameters: { ...(bytes && { binary_data_size: bytes.byteLength }), ...parameters } }),
  }));
  const json = Buffer.from(JSON.stringify({ inputs: described, ...more }));
  const tail = inputs.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]));
  return {
    body: Buffer.concat([json, ...tail]),
    headers: { 'Inference-Header-Content-Length': json.byteLength },
  };
};

/** Talks as tritonclient does: no Content-Type, bytes in and out. */
export class OipClient {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  get(path: string, headers: OutgoingHttpHeaders = {}): Promise<OipReply> {
    return this.send('GET', path, undefined, headers);
  }

  post(
    path: string,
    body: Uint8Array | string | object = '',
    headers: OutgoingHttpHeaders = {},
  ): Promise<OipReply> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    return this.send('POST', path, isRaw ? body : JSON.stringify(body), headers);
  }

  /** JSON where no input has bytes. */
  infer(model: string, inputs: readonly OipInput[], more: object = {}): Promise<OipReply> {
    const { body, headers } = framed(inputs, more);
    const isBinary = inputs.some(({ bytes }) => bytes !== undefined);
    return this.post(`/v2/models/${model}/infer`, body, isBinary ? headers : {});
  }

  async send(
    method: string,
    path: string,
    body: Uint8Array | string | undefined,
    headers: OutgoingHttpHeaders,
  ): Promise<OipReply> {
    const req = request(new URL(this.#url), { agent: this.#agent, method, path, headers });
    req.end(body);
    const [res] = (await once(req, 'response')) as [import('node:http').IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of res) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const length = Number(res.headers['inference-header-content-length'] ?? bytes.length);
    const isPlain = res.headers['content-encoding'] === undefined;
    return {
      status: res.statusCode ?? 0,
      headers: res.headers,
      json: isPlain && length > 0 ? (JSON.parse(bytes.subarray(0, length).toString()) as OipJson) : {},
      binary: bytes.subarray(length),
      bytes,
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The bytes of numbers, wherever their array lies. */
export const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** BYTES elements on the wire. */
export const bytesElements = (texts: readonly string[]): Buffer =>
  Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );

export const floatsOf = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
