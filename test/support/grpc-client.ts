import { Client, credentials, Metadata, type MethodDefinition, type StatusObject } from '@grpc/grpc-js';
import { loadServices, type Services } from '../../src/protocol/grpc/protos.js';

/** An answer, or the status that came in its place. */
export interface GrpcReply {
  readonly code: number;
  readonly details: string;
  /** Trailers of ours. */
  readonly carpoolCode: string | undefined;
  readonly value: GrpcValue;
  /** Initial metadata. */
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface GrpcOutput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly contents: Readonly<Record<string, readonly unknown[]>> | null;
}

/** Every field that some answer has. */
export interface GrpcValue {
  readonly live?: boolean;
  readonly ready?: boolean;
  readonly status?: string;
  readonly id?: string;
  readonly name?: string;
  readonly model_name?: string;
  readonly outputs?: readonly GrpcOutput[];
  readonly raw_output_contents?: readonly Buffer[];
  readonly models?: readonly { readonly name: string; readonly state: string }[];
  readonly model_stats?: readonly { readonly name: string; readonly inference_count: string }[];
  readonly error_message?: string;
  readonly infer_response?: GrpcValue;
}

export interface Calling {
  /** From now on. */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A client of both services, over one connection. */
export class GrpcClient {
  readonly #client: Client;
  readonly #services = loadServices();

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.#client = new Client(`${host}:${port}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  ask(
    method: string,
    request: object = {},
    { timeoutMs, signal, metadata = {} }: Calling = {},
  ): Promise<GrpcReply> {
    const { path, requestSerialize, responseDeserialize } = methodOf(this.#services, method);
    const headers = new Metadata();
    for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    return new Promise((resolve) => {
      let first = new Metadata();
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        headers,
        options,
        (error, value) => resolve({ ...replyOf(error, value), headers: first.getMap() }),
      );
      call.on('metadata', (metadata: Metadata) => (first = metadata));
      signal?.addEventListener('abort', () => call.cancel());
    });
  }

  infer(request: object, calling?: Calling): Promise<GrpcReply> {
    return this.ask('ModelInfer', request, calling);
  }

  /** ModelStreamInfer: sends all, gathers what comes until the server ends. */
  async stream(requests: readonly object[], stayOpen = false): Promise<readonly GrpcValue[]> {
    const { path, requestSerialize, responseDeserialize } = methodOf(this.#services, 'ModelStreamInfer');
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    for (const request of requests) call.write(request);
    if (!stayOpen) call.end();
    const values: GrpcValue[] = [];
    for await (const value of call) values.push(value as GrpcValue);
    return values;
  }

  close(): void {
    this.#client.close();
  }
}

const methodOf = ({ inference, health }: Services, name: string): MethodDefinition<object, GrpcValue> => {
  for (const service of [inference, health]) {
    // What the .proto says that it gives; GrpcValue holds those that a test reads.
    const method = service[name] as MethodDefinition<object, GrpcValue> | undefined;
    if (method !== undefined) return method;
  }
  throw new Error(`no method ${name}`);
};

const replyOf = (
  error: (Error & Partial<StatusObject>) | null,
  value: GrpcValue | undefined,
): Omit<GrpcReply, 'headers'> => ({
  code: error?.code ?? 0,
  details: error?.details ?? '',
  carpoolCode: error?.metadata?.get('carpool-code')[0]?.toString(),
  value: value ?? {},
});
