import { describe, expect, it } from '@jest/globals';
import { batchAxisOf, type BatchAxis } from '../../src/models/batch-axis.js';
import type { TensorSpec } from '../../src/tensor.js';

type Shapes = Readonly<Record<string, TensorSpec['shape']>>;

const specs = (shapes: Shapes): TensorSpec[] =>
  Object.entries(shapes).map(([name, shape]) => ({ name, dtype: 'float32', shape }));

const axisOf = (inputs: Shapes, outputs: Shapes): BatchAxis =>
  batchAxisOf({ inputs: specs(inputs), outputs: specs(outputs) });

describe('the batch axis', () => {
  it.each<[string, Shapes, Shapes, BatchAxis]>([
    ['is variable', { x: ['N', 3] }, { y: ['N', 1] }, { kind: 'dynamic' }],
    ['has no name', { x: ['?', 3], z: ['?'] }, { y: ['?'] }, { kind: 'dynamic' }],
    ['has several names', { x: ['batch', 3], z: ['N', 3] }, { y: ['unk_1', 3] }, { kind: 'dynamic' }],
    ['is fixed', { x: [4, 3], z: [4] }, { y: [4, 1] }, { kind: 'fixed', size: 4 }],
    ['is fixed at 1', { x: [1, 3] }, { y: [1, 3] }, { kind: 'fixed', size: 1 }],
    ['is fixed, and an output says nothing of it', { x: [4, 3] }, { y: ['N'] }, { kind: 'fixed', size: 4 }],
  ])('%s', (_, inputs, outputs, axis) => {
    expect(axisOf(inputs, outputs)).toEqual(axis);
  });

  it.each<[string, Shapes, Shapes, string]>([
    ['without inputs', {}, { y: ['N'] }, 'the model has no inputs'],
    [
      'with a scalar input',
      { x: ['N', 3], s: [] },
      { y: ['N'] },
      "input 's' has no batch dimension (shape [])",
    ],
    [
      'with a scalar output',
      { x: ['N'] },
      { y: ['N'], m: [] },
      "output 'm' has no batch dimension (shape [])",
    ],
    [
      'with a fixed input beside a variable one',
      { x: ['N', 3], scale: [1] },
      { y: ['N'] },
      "input 'scale' has first dimension 1 and input 'x' has N: they have no batch dimension in common",
    ],
    [
      'with a variable input beside a fixed one',
      { scale: [1], x: ['N', 3] },
      { y: ['N'] },
      "input 'x' has first dimension N and input 'scale' has 1: they have no batch dimension in common",
    ],
    [
      'with inputs fixed at unlike sizes',
      { x: [4, 3], scale: [1] },
      { y: [4, 3] },
      "input 'scale' has first dimension 1 and input 'x' has 4: they have no batch dimension in common",
    ],
    [
      'with an output fixed',
      { x: ['N'] },
      { y: [1] },
      "output 'y' has the fixed first dimension 1: no batch dimension",
    ],
    [
      'with an output fixed at another size',
      { x: [4] },
      { y: [2] },
      "output 'y' has first dimension 2, the inputs have 4",
    ],
  ])('is none %s', (_, inputs, outputs, reason) => {
    expect(axisOf(inputs, outputs)).toEqual({ kind: 'none', reason });
  });
});
