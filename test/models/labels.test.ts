import { describe, expect, it } from '@jest/globals';
import { labelsOf } from '../../src/models/labels.js';

describe('class names of a config.json', () => {
  it.each([
    ['stand by index, whatever their order', { id2label: { 1: 'spam', 0: 'ham' } }, ['ham', 'spam']],
    ['may be one', { id2label: { 0: 'only' } }, ['only']],
    [
      'go past ten',
      { id2label: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [i, `l${i}`])) },
      Array.from({ length: 12 }, (_, i) => `l${i}`),
    ],
    ['may be missing', { model_type: 'bert' }, undefined],
    ['are not guessed where one is missing', { id2label: { 0: 'a', 2: 'c' } }, undefined],
    ['are not guessed where they do not begin at 0', { id2label: { 1: 'a', 2: 'b' } }, undefined],
    ['are none where there are none', { id2label: {} }, undefined],
    ['are texts', { id2label: { 0: 'a', 1: 7 } }, undefined],
    ['are not a list', { id2label: ['a', 'b'] }, undefined],
    ['are in an object', [], undefined],
    ['can not come from the prototype', { id2label: { 0: 'a', constructor: 'b' } }, undefined],
  ])('%s', (_, config, labels) => {
    expect(labelsOf(JSON.stringify(config))).toEqual(labels);
  });

  it('are none without the file, or where it is no JSON', () => {
    expect(labelsOf(undefined)).toBeUndefined();
    expect(labelsOf('{')).toBeUndefined();
  });
});
