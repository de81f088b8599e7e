import { describe, expect, it } from '@jest/globals';
import { parseInfer, parseLoad, parsePredict, type ParseView } from '../../src/protocol/own/parse.js';
import type { TensorSpec } from '../../src/tensor.js';
import { refusal, spec, valuesOf } from './support.js';

const view = (inputs: TensorSpec[], parts: Partial<ParseView> = {}): ParseView => ({
  name: 'm',
  signature: { inputs, outputs: [spec('y', 'float32', ['N']), spec('z', 'float32', ['N'])] },
  takesTexts: false,
  maxRows: 4,
  ...parts,
});
const X = view([spec('x', 'float32', ['N', 2])]);
const AB = view([spec('a', 'float32', ['N', 1]), spec('b', 'int64', ['N', 1])]);
const SCALE = view([spec('scale', 'float32', [1]), spec('x', 'float32', ['N', 2])]);
const FIXED = view([spec('x', 'float32', [2, 1]), spec('k', 'float32', [])]);
const UNLIKE = view([spec('x', 'float32', [2, 1]), spec('s', 'float32', [1])]);
const TEXT = view([spec('input_ids', 'int64', ['b', 's']), spec('mask', 'int64', ['b', 's'])], {
  takesTexts: true,
});

describe('parsePredict', () => {
  it('reads all fields', () => {
    const body = { texts: ['a', ''], model: 'spam', timeoutMs: 5.5, truncate: false, scores: true };
    expect(parsePredict(body, 2)).toEqual({
      request: {
        model: 'spam',
        input: { kind: 'texts', texts: ['a', ''] },
        options: { timeoutMs: 5.5, truncate: false },
      },
      answer: { kind: 'predict', scores: true },
    });
  });

  it('leaves absent fields absent', () => {
    const { request, answer } = parsePredict({ texts: ['a'] }, 2);
    expect(Object.keys(request)).toEqual(['input', 'options']);
    expect(Object.keys(request.options)).toEqual([]);
    expect(answer).toEqual({ kind: 'predict' });
  });

  it.each<[unknown, string]>([
    [
      undefined,
      'body: expected an object with texts, model, timeoutMs, priority, truncate, scores …; got nothing',
    ],
    [[], 'got an empty list'],
    [{}, 'texts: expected a list of strings, got nothing'],
    [{ texts: 'a' }, 'texts: expected a list of strings, got string "a"; a single text is a list of one'],
    [{ texts: [] }, 'texts: expected at least one string, got an empty list'],
    [{ texts: ['a', 7] }, 'texts[1]: expected a string, got number 7'],
    [{ texts: [null] }, 'texts[0]: expected a string, got null'],
    [{ texts: [['a']] }, 'texts[0]: expected a string, got a list of 1'],
    [{ text: ['a'] }, 'unknown key "text"; expected texts, model, timeoutMs, priority, truncate, scores …'],
    [JSON.parse('{"texts":["a"],"__proto__":{}}'), 'unknown key "__proto__"'],
    [{ texts: ['a'], model: 5 }, 'model: expected a non-empty string, got number 5'],
    [{ texts: ['a'], model: '' }, 'model: expected a non-empty string, got string ""'],
    [{ texts: ['a'], timeoutMs: 0 }, 'timeoutMs: expected milliseconds above 0'],
    [{ texts: ['a'], timeoutMs: '5' }, 'got string "5"'],
    [{ texts: ['a'], timeoutMs: 3_600_001 }, 'at most 3600000'],
    [{ texts: ['a'], timeoutMs: 2n ** 60n }, 'got number 1152921504606846976'],
    [{ texts: ['a'], truncate: 'no' }, 'truncate: expected true or false, got string "no"'],
    [{ texts: ['a'], scores: 1 }, 'scores: expected true or false, got number 1'],
  ])('refuses %j', (body, part) => {
    const { code, message } = refusal(() => parsePredict(body, 2));
    expect(code).toBe('INVALID_REQUEST');
    expect(message).toContain(part);
  });

  it('inherits nothing', () => {
    expect(refusal(() => parsePredict(Object.create({ texts: ['a'] }), 2)).message).toContain('got nothing');
  });

  it('limits the number of texts', () => {
    expect(refusal(() => parsePredict({ texts: ['a', 'b', 'c'] }, 2))).toEqual({
      code: 'PAYLOAD_TOO_LARGE',
      message: 'texts: expected at most 2 in a request, got 3',
    });
  });
});

describe('parseInfer', () => {
  it.each<[string, ParseView, unknown, number, (number | bigint)[][]]>([
    ['bare rows', X, { inputs: [[1, 2], [3, 4]] }, 2, [[1, 2, 3, 4]]], // prettier-ignore
    ['one named tensor', X, { inputs: { x: [[1, 2]] } }, 1, [[1, 2]]],
    ['several, in signature order', AB, { inputs: { b: [[3], [4]], a: [[1], [2]] } }, 2, [[1, 2], [3n, 4n]]], // prettier-ignore
    ['rows beside a scalar-like input', SCALE, { inputs: { scale: [9], x: [[1, 2], [3, 4]] } }, 2, [[9], [1, 2, 3, 4]]], // prettier-ignore
    ['any rows for a fixed batch', FIXED, { inputs: { x: [[1], [2], [3]], k: 5 } }, 3, [[1, 2, 3], [5]]], // prettier-ignore
    ['unlike fixed shapes as declared', UNLIKE, { inputs: { x: [[1], [2]], s: [3] } }, 2, [[1, 2], [3]]], // prettier-ignore
    ['a bare scalar', view([spec('k', 'float32', [])]), { inputs: 5 }, 1, [[5]]],
    ['no inputs at all', view([]), { inputs: {} }, 1, []],
    ['tensors for a text model', TEXT, { inputs: { input_ids: [[1]], mask: [[1]] } }, 1, [[1n], [1n]]],
  ])('reads %s', (_, model, body, rows, values) => {
    const { input, model: name } = parseInfer(body, model).request;
    if (input.kind !== 'tensors') throw new Error('expected tensors');
    expect([name, input.rows, input.tensors.map(valuesOf)]).toEqual(['m', rows, values]);
  });

  it('reads texts, outputs and options', () => {
    const body = { texts: ['a'], outputs: ['z'], timeoutMs: 5, truncate: true };
    expect(parseInfer(body, TEXT)).toEqual({
      request: {
        model: 'm',
        input: { kind: 'texts', texts: ['a'] },
        options: { timeoutMs: 5, truncate: true, outputs: ['z'] },
      },
      answer: { kind: 'infer' },
    });
  });

  it('reads different counts of rows where requests run alone', () => {
    const inputs = [spec('nodes', 'float32', ['V', 1]), spec('edges', 'int64', ['E', 2])];
    const body = { inputs: { nodes: [[1], [2], [3]], edges: [[0, 1]] } };
    expect(parseInfer(body, view(inputs, { batch: { mode: 'single' } })).request.input).toMatchObject({
      rows: 3,
    });
    expect(refusal(() => parseInfer(body, view(inputs))).message).toContain('expected 3 rows');
  });

  it.each<[ParseView, unknown, string]>([
    [
      X,
      null,
      'body: expected an object with inputs, texts, outputs, timeoutMs, priority, truncate …; got null',
    ],
    [X, {}, 'body: expected "inputs", got neither'],
    [TEXT, {}, 'body: expected "texts" or "inputs", got neither'],
    [TEXT, { texts: ['a'], inputs: {} }, 'got both'],
    [X, { inputs: [[1, 2]], scores: true }, 'scores: means something for texts only'],
    [X, { texts: ['a'] }, 'texts: m takes no texts; expected "inputs" with x float32 [N,2]'],
    [X, { inputs: [[1, 2]], truncate: true }, 'truncate: means something for texts only'],
    [TEXT, { inputs: ['hi'] }, 'expected an object with input_ids int64 [b,s], mask int64 [b,s], got a list of 1; or send "texts"'], // prettier-ignore
    [AB, { inputs: [[1]] }, 'inputs: expected an object with a float32 [N,1], b int64 [N,1], got a list of 1'], // prettier-ignore
    [AB, { inputs: { a: [[1]] } }, 'inputs: missing tensor "b", int64 [N,1]'],
    [AB, { inputs: { a: [[1]], c: 1 } }, 'inputs: unknown tensor "c"; expected a float32 [N,1], b int64 [N,1]'], // prettier-ignore
    [X, JSON.parse('{"inputs":{"x":[[1,2]],"__proto__":1}}'), 'unknown tensor "__proto__"'],
    [AB, { inputs: { a: [[1], [2], [3]], b: [[1], [2]] } }, 'inputs.b: expected 3 rows as in inputs.a, got 2'], // prettier-ignore
    [SCALE, { inputs: { scale: [1, 2], x: [[1, 2]] } }, 'inputs.scale: expected exactly 1 on axis 0, got 2'],
    [UNLIKE, { inputs: { x: [[1]], s: [3] } }, 'inputs.x: expected exactly 2 on axis 0, got 1'],
    [X, { inputs: [[1, 2], [3]] }, 'inputs.x[1]: expected 2 values, got 1'], // prettier-ignore
    [X, { inputs: [[1, 2]], outputs: 'y' }, 'outputs: expected a list of names, got string "y"'],
    [X, { inputs: [[1, 2]], outputs: ['y', 'q'] }, 'outputs[1]: expected one of y, z; got "q"'],
    [X, { inputs: [[1, 2]], outputs: [1] }, 'outputs[0]: expected one of y, z; got number 1'],
  ])('%#: refuses what does not fit the model', (model, body, part) => {
    const { code, message } = refusal(() => parseInfer(body, model));
    expect(code).toBe('INVALID_REQUEST');
    expect(message).toContain(part);
  });

  it('names the first missing feature of the card', () => {
    const model = { ...X, features: { x: ['Time', 'Amount'] } };
    expect(refusal(() => parseInfer({ inputs: [[1]] }, model)).message).toContain('missing is "Amount"');
  });

  it.each<[ParseView, unknown, string]>([
    [X, { inputs: Array(5).fill([1, 2]) }, 'inputs.x: expected at most 4 rows in a request, got 5'],
    [FIXED, { inputs: { x: Array(5).fill([1]), k: 1 } }, 'got 5'],
    [TEXT, { texts: Array(5).fill('a') }, 'texts: expected at most 4 in a request, got 5'],
  ])('%#: limits the rows of a request', (model, body, part) => {
    const { code, message } = refusal(() => parseInfer(body, model));
    expect([code, message.includes(part)]).toEqual(['PAYLOAD_TOO_LARGE', true]);
  });
});

describe('parseLoad', () => {
  it('reads name and path', () => {
    expect(parseLoad({ name: 'a.B-2_c', path: 'sub/m.onnx' })).toEqual({
      name: 'a.B-2_c',
      path: 'sub/m.onnx',
    });
  });

  it.each([
    '__proto__',
    'constructor',
    'toString',
    '.',
    '..',
    'a/b',
    'a\\b',
    '-a',
    'a b',
    'ä',
    'a'.repeat(129),
  ])('refuses the name %s', (name) => {
    const { code, message } = refusal(() => parseLoad({ name, path: 'x' }));
    expect([code, message.startsWith('name: expected 1 to 128 letters')]).toEqual(['INVALID_REQUEST', true]);
  });

  it.each<[unknown, string]>([
    [[], 'body: expected an object with name, path'],
    [{ name: 'a' }, 'path: expected a non-empty string, got nothing'],
    [{ path: 'a' }, 'name: expected a non-empty string, got nothing'],
    [{ name: 7, path: 'a' }, 'name: expected a non-empty string, got number 7'],
    [{ name: 'a', path: 'a\0' }, 'path: got a NUL'],
    [{ name: 'a', path: 'a', force: true }, 'unknown key "force"'],
  ])('refuses %j', (body, part) => {
    const { code, message } = refusal(() => parseLoad(body));
    expect(code).toBe('INVALID_REQUEST');
    expect(message).toContain(part);
  });
});
