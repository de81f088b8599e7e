import type { SeededRandom } from '../chaos/seeded-random.js';
import { mutated, printed, type Json } from './json.js';

const DATATYPES = [
  'FP32',
  'FP64',
  'FP16',
  'BF16',
  'INT64',
  'INT32',
  'INT8',
  'UINT8',
  'UINT64',
  'BOOL',
  'BYTES',
  'fp32',
];

const DIMS = [0, 1, 1, 1, 2, 3, 30, 30, -1, 2 ** 31, 2 ** 53, 0.5];

/** `[length][bytes]` of BYTES; the length may lie. */
const bytesElement = (text: string, random: SeededRandom): Buffer => {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(
    random.next() < 0.7 ? bytes.length : random.pick([0, 1, bytes.length + 1, 2 ** 31, 2 ** 32 - 1]),
  );
  return Buffer.concat([length, bytes]);
};

const randomBytes = (length: number, random: SeededRandom): Buffer =>
  Buffer.from(Array.from({ length }, () => random.between(0, 255)));

export interface BinaryBody {
  readonly body: Buffer;
  readonly headers: [string, string][];
}

/** The binary form of the Open Inference Protocol, with lies: about lengths, sizes, shapes and datatypes. */
export const binaryBody = (model: string, random: SeededRandom): BinaryBody => {
  const isText = model === 'spam';
  const honest = (value: number): number => (random.next() < 0.8 ? value : random.pick(DIMS));
  const rows = random.between(1, 3);
  const tail = isText
    ? Buffer.concat(Array.from({ length: rows }, () => bytesElement('free prize', random)))
    : randomBytes(rows * 30 * 4 + (random.next() < 0.1 ? random.between(-5, 5) : 0), random);
  const input: Json = {
    name: isText
      ? random.pick(['text', 'text', 'input_ids', 'texts'])
      : random.pick(['float_input', 'float_input', 'x']),
    datatype: random.next() < 0.7 ? (isText ? 'BYTES' : 'FP32') : random.pick(DATATYPES),
    shape: isText ? [honest(rows)] : [honest(rows), honest(30)],
    parameters: {
      binary_data_size:
        random.next() < 0.8 ? tail.length : random.pick([0, -1, 1, 1e9, 2 ** 53, 0.5, tail.length + 1]),
    },
  };
  const request: Json = { inputs: [input], parameters: { binary_data_output: random.next() < 0.5 } };
  const json = Buffer.from(printed(random.next() < 0.4 ? mutated(request, random) : request));
  const announced =
    random.next() < 0.8
      ? json.length
      : random.pick([0, 1, json.length - 1, json.length + 1, json.length + tail.length, 1e12, -1]);
  return {
    body: Buffer.concat([json, tail]),
    headers: [
      ['inference-header-content-length', String(announced)],
      ...(random.next() < 0.5 ? [['content-type', 'application/octet-stream'] as [string, string]] : []),
    ],
  };
};
