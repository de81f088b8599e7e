import type { Metadata } from '@grpc/grpc-js';
import { presentedIn } from '../../access/credentials.js';
import { requireNeed, type Gate } from '../../access/gate.js';
import type { Need } from '../../access/need.js';
import { EVERYBODY, NOBODY, type Principal } from '../../access/principal.js';

/** Who made a call, by its metadata, which a call and its handlers share. */
export class Callers {
  readonly #gate: Gate;
  readonly #known = new WeakMap<Metadata, Principal>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  of(metadata: Metadata): Principal {
    return this.#gate.isOpen ? EVERYBODY : (this.#known.get(metadata) ?? NOBODY);
  }

  /** @throws CarpoolError UNAUTHENTICATED, FORBIDDEN */
  async admit(metadata: Metadata, need: Need): Promise<void> {
    const presented = presentedIn(onlyText(metadata, 'authorization'), onlyText(metadata, 'x-api-key'));
    const principal = await this.#gate.identify(presented);
    // First, so that the audit log knows whom it was that was refused.
    this.#known.set(metadata, principal);
    requireNeed(principal, need);
  }
}

/** Several of a kind are none: which one counts is not for a proxy in between to choose. */
const onlyText = (metadata: Metadata, key: string): string | undefined => {
  const [value, another] = metadata.get(key);
  return typeof value === 'string' && another === undefined ? value : undefined;
};
