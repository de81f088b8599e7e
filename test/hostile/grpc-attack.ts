import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { SeededRandom } from '../chaos/seeded-random.js';
import { loadServices } from '../../src/protocol/grpc/protos.js';
import { trickedBody } from './body-tricks.js';
import { STRINGS } from './values.js';

const SERVICE = '/inference.GRPCInferenceService/';

const METHODS = [
  ...['ModelInfer', 'ModelInfer', 'ModelInfer', 'ModelInfer', 'ModelReady', 'ModelMetadata', 'ServerReady'],
  ...['ModelConfig', 'ModelStatistics', 'RepositoryIndex', 'ServerMetadata', 'ServerLive', 'Nonsense'],
];

const DATATYPES = ['BYTES', 'FP32', 'FP32', 'INT64', 'FP16', 'BF16', 'BOOL', 'UINT64', '', 'bytes'];
const DIMS = ['1', '1', '2', '30', '0', '-1', '9223372036854775807', '4294967296'];
const FIELDS = ['bool_contents', 'int_contents', 'int64_contents', 'uint_contents', 'uint64_contents', 'fp32_contents', 'fp64_contents', 'bytes_contents'] as const; // prettier-ignore

const metadataOf = (random: SeededRandom): Metadata => {
  const metadata = new Metadata();
  for (let left = random.pick([0, 0, 0, 1, 2]); left > 0; left--)
    metadata.set(
      random.pick(['x-request-id', 'authorization', 'traceparent', 'x-api-key', 'grpc-accept-encoding', 'x']),
      random.pick(['', 'x', 'gzip', 'Bearer a.b.c', 'x'.repeat(3_000), '00-0-0-0']),
    );
  if (random.next() < 0.05) metadata.add('x-bin', Buffer.alloc(500, 255));
  return metadata;
};

const one = (field: (typeof FIELDS)[number], random: SeededRandom): unknown =>
  field === 'bytes_contents'
    ? Buffer.from(random.pick(STRINGS))
    : random.pick([0, 1, -1, NaN, Infinity, 2 ** 40, true, 30.5]);

const list = (most: number, random: SeededRandom, of: () => unknown): unknown[] =>
  Array.from({ length: random.between(0, most) }, of);

/** Right in form; what it holds fits or does not. */
const inferRequest = (models: readonly string[], random: SeededRandom): object => {
  const parameter = (): object => ({
    [random.pick(['priority', 'timeout', 'classification', 'binary_data', '__proto__', 'sequence_id'])]:
      random.pick([
        { bool_param: true },
        { int64_param: '-9223372036854775808' },
        { uint64_param: '18446744073709551615' },
        { double_param: NaN },
        { string_param: random.pick(STRINGS) },
        {},
      ]),
  });
  const maybe = (): object => (random.next() < 0.3 ? parameter() : {});
  return {
    model_name: random.next() < 0.9 ? random.pick(models) : random.pick(STRINGS),
    model_version: random.pick(['', '', '', '1', '2', 'x', '\u0000']),
    id: random.next() < 0.8 ? '' : random.pick(STRINGS),
    parameters: maybe(),
    inputs: list(2, random, () => ({
      name: random.pick(['text', 'float_input', 'input_ids', 'x', '']),
      datatype: random.pick(DATATYPES),
      shape: list(3, random, () => random.pick(DIMS)),
      parameters: maybe(),
      contents:
        random.next() < 0.4
          ? null
          : { [random.pick(FIELDS)]: list(60, random, () => one(random.pick(FIELDS), random)) },
    })),
    outputs: list(2, random, () => ({
      name: random.pick(['logits', 'label', 'x', '']),
      parameters: maybe(),
    })),
    raw_input_contents: list(2, random, () =>
      Buffer.alloc(random.pick([0, 1, 4, 120, 240, 5_000]), random.between(0, 255)),
    ),
  };
};

interface GrpcEnd {
  readonly code: number;
  readonly details: string;
}

export interface GrpcAttacker {
  /** Sends one. @returns what came: the status's name, and `problem` where it must not have been */
  readonly attack: (random: SeededRandom) => Promise<{ readonly label: string; readonly problem?: string }>;
  readonly close: () => void;
}

/** A call that a hostile client may make must end with a status that says whose fault it was. */
const FORBIDDEN: readonly number[] = [status.UNKNOWN, status.INTERNAL, status.DATA_LOSS];
const DEADLINE_EXCEEDED: number = status.DEADLINE_EXCEEDED;
const LIMIT_MS = 15_000;

/** Calls with random and mutated protobufs, by unary calls and by streams. */
export const createGrpcAttacker = (port: number, models: readonly string[]): GrpcAttacker => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const serialize = loadServices().inference['ModelInfer']?.requestSerialize;
  const asIs = (bytes: Buffer): Buffer => bytes;

  const bytesOf = (random: SeededRandom): Buffer => {
    let valid: Buffer = Buffer.alloc(0);
    try {
      valid = serialize?.(inferRequest(models, random)) ?? valid;
    } catch {
      // What the library refuses to write.
    }
    return random.next() < 0.5 ? valid : trickedBody(valid, random);
  };

  const unary = (path: string, random: SeededRandom): Promise<GrpcEnd> =>
    new Promise((resolve) => {
      const deadline = Date.now() + LIMIT_MS;
      const call = client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        bytesOf(random),
        metadataOf(random),
        { deadline },
        (error) => resolve({ code: error?.code ?? status.OK, details: error?.details ?? '' }),
      );
      if (random.next() < 0.05) setImmediate(() => call.cancel());
    });

  const stream = (random: SeededRandom): Promise<GrpcEnd> =>
    new Promise((resolve) => {
      const deadline = Date.now() + LIMIT_MS;
      const call = client.makeBidiStreamRequest(
        `${SERVICE}ModelStreamInfer`,
        asIs,
        asIs,
        metadataOf(random),
        { deadline },
      );
      call.on('data', () => undefined);
      call.on('error', () => undefined);
      call.on('status', resolve);
      for (let left = random.between(0, 5); left > 0; left--) call.write(bytesOf(random));
      if (random.next() < 0.1) call.cancel();
      else call.end();
    });

  return {
    attack: async (random) => {
      const isStream = random.next() < 0.2;
      const method = isStream ? 'ModelStreamInfer' : random.pick(METHODS);
      const { code, details } = isStream ? await stream(random) : await unary(SERVICE + method, random);
      const label = `${method} ${status[code] ?? code}`;
      const isHung = isStream && code === DEADLINE_EXCEEDED;
      const problem = isHung ? 'a stream that does not end' : 'a status that must not be';
      return FORBIDDEN.includes(code) || isHung
        ? { label, problem: `${problem}: ${label}: ${details}` }
        : { label };
    },
    close: () => client.close(),
  };
};
