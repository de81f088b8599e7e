import { describe, expect, it } from '@jest/globals';
import { CostModel, type CostBasis, type RunShape } from '#batcher';
import type { Payload } from '../../src/executor/join.js';
import { Lane } from '../../src/executor/lane.js';
import { calibrate } from '../../src/models/calibrate.js';
import { FakeClock } from '../support/fake-clock.js';
import { f32 } from '../support/lanes.js';
import { puppetOpen } from '../support/puppet-link.js';

const ZERO = { alphaMs: 1, betaMsPerToken: 0, kneeTokens: 0, quadMsPerTokenSquared: 0 };

/** What is run for samples, and what the cost model is told. */
const shapesOf = async (
  sample: Payload,
  basis: CostBasis,
  limits: { maxBatch: number; sampleLength: number; fillTo?: number; textLength?: number },
): Promise<{ ran: Set<string>; learnt: RunShape[] }> => {
  const learnt: RunShape[] = [];
  const cost = new CostModel(basis, ZERO);
  const observe = cost.observe.bind(cost);
  cost.observe = (shape, ms) => {
    learnt.push(shape);
    observe(shape, ms);
  };
  const { open, links } = puppetOpen();
  const lane = new Lane(open);
  await calibrate({
    key: 'm',
    cost,
    clock: new FakeClock(),
    samples: [sample],
    maxTokens: 16,
    budgetMs: 1_000,
    occupied: (laneMs) => laneMs,
    withLane: (work) => work(lane),
    signal: new AbortController().signal,
    ...limits,
  });
  const ran = links.flatMap(({ requests }) =>
    requests.flatMap((each) => (each.type === 'run' ? [each.batch] : [])),
  );
  return {
    ran: new Set(ran.map((batch) => (batch.kind === 'texts' ? batch.lengths.join() : `${batch.rows} rows`))),
    learnt,
  };
};

const TEXT: Payload = { kind: 'text', ids: Int32Array.of(2, 7, 3) };
const TENSORS: Payload = {
  kind: 'tensors',
  rows: 1,
  inputs: [f32([1, 5, 2], new Array<number>(10).fill(1))],
};

describe('calibration', () => {
  it('runs texts of the one length that the file fixes', async () => {
    const { ran, learnt } = await shapesOf(TEXT, 'padded', { maxBatch: 2, sampleLength: 3, textLength: 12 });
    expect(ran).toEqual(new Set(['12', '12,12']));
    expect(new Set(learnt.map(({ longest }) => longest))).toEqual(new Set([12]));
  });

  it('runs texts of many lengths, several together', async () => {
    const { ran } = await shapesOf(TEXT, 'padded', { maxBatch: 2, sampleLength: 3 });
    expect(ran).toEqual(new Set(['8', '8,8', '16', '16,16']));
  });

  it('runs nothing together that is not served together', async () => {
    const { ran } = await shapesOf(TEXT, 'padded', { maxBatch: 1, sampleLength: 3 });
    expect(ran).toEqual(new Set(['8', '16']));
    const fixed = await shapesOf(TENSORS, 'rows', { maxBatch: 1, sampleLength: 1, fillTo: 4 });
    expect(fixed.ran).toEqual(new Set(['1 rows']));
  });

  it('lays the time of tensors to their length', async () => {
    const { learnt } = await shapesOf(TENSORS, 'padded', { maxBatch: 2, sampleLength: 5 });
    expect(new Set(learnt.map(({ tokens, longest }) => `${tokens} of ${longest}`))).toEqual(
      new Set(['5 of 5', '10 of 5']),
    );
  });
});
