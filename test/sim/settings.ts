import type { Rule } from '../../src/sim/rules.js';
import { openKnobs, REGIMES, type Setting } from '../../src/sim/setting.js';
import { lognormalLengths } from '../../src/sim/lengths.js';
import { simulate, type Outcome } from '../../src/sim/simulate.js';
import type { MachineSpec } from '../../src/sim/machine.js';
import type { SimRequest } from '../../src/sim/traces.js';

/** The GPU-like regime with the first length law of the suite. */
export const GPU: Setting = {
  ...REGIMES.gpu,
  basis: 'padded',
  lanes: 1,
  lengths: lognormalLengths(40, 0.8),
  maxBatch: 64,
};

export const play = (
  rule: Rule,
  requests: readonly SimRequest[],
  {
    setting = GPU,
    clients,
    machine,
    deadlineMs = Infinity,
  }: { setting?: Setting; clients?: number; machine?: MachineSpec; deadlineMs?: number } = {},
): Promise<Outcome> =>
  simulate({
    requests,
    plan: rule.make(),
    knobs: openKnobs(setting),
    lanes: setting.lanes,
    basis: setting.basis,
    cost: setting.cost,
    deadlineMs,
    ...(clients === undefined ? {} : { clients }),
    ...(machine === undefined ? {} : { machine }),
  });

/** Requests of one row each that come at these times. */
export const at = (...requests: readonly (readonly [atMs: number, length: number])[]): SimRequest[] =>
  requests.map(([atMs, length]) => ({ atMs, lengths: [length] }));
