/** A protobuf field: a number as a varint, all else by its length. */
const varint = (value) => {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
};
const field = (number, value) => {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};
const message = (...fields) => Buffer.concat(fields);

const FLOAT = 1;

/** `[N, size]` of floats. */
const rows = (name, size) => {
  const shape = message(field(1, message(field(2, 'N'))), field(1, message(field(1, size))));
  const type = field(1, message(field(1, FLOAT), field(2, shape)));
  return message(field(1, name), field(2, type));
};

/** An ONNX file (onnx.proto3) that multiplies rows by a matrix of `size`² weights, 4 bytes each. */
export const largeModel = (size) => {
  const weights = Float32Array.from({ length: size * size }, (_, i) => (i % 7) - 3);
  const matrix = message(
    ...[field(1, size), field(1, size), field(2, FLOAT), field(8, 'w')],
    field(9, Buffer.from(weights.buffer)),
  );
  const node = message(field(1, 'x'), field(1, 'w'), field(2, 'y'), field(4, 'MatMul'));
  const graph = message(
    ...[field(1, node), field(2, 'large'), field(5, matrix)],
    ...[field(11, rows('x', size)), field(12, rows('y', size))],
  );
  return message(field(1, 8), field(8, message(field(1, ''), field(2, 17))), field(7, graph));
};
