import { CarpoolError } from '../errors.js';
import type { Need } from './need.js';
import { EVERYBODY, forbidden, satisfies, type Principal } from './principal.js';

/** Knows who calls, for HTTP and gRPC alike. */
export interface Gate {
  /** Everybody may do everything, and has no name. */
  readonly isOpen: boolean;
  /**
   * @param presented key or token, see `presentedIn`
   * @returns its holder; somebody without a name where there is none, or none that is good
   */
  identify(presented: string | undefined): Promise<Principal>;
}

/** Access control is off. */
export const OPEN_GATE: Gate = { isOpen: true, identify: () => Promise.resolve(EVERYBODY) };

/**
 * @param holderOf the caller of a key or token; undefined for one that is not good
 * @param without who comes without any
 * @param withBad who comes with one that is not good
 */
export const createGate = (
  holderOf: (presented: string) => Promise<Principal | undefined>,
  without: Principal,
  withBad: Principal,
): Gate => ({
  isOpen: false,
  identify: async (presented) =>
    presented === undefined ? without : ((await holderOf(presented)) ?? withBad),
});

/**
 * @param model the one that the request's path names; undefined = none, or not known yet
 * @throws CarpoolError UNAUTHENTICATED where nobody knows who calls, the same for a key that is missing, wrong or no longer
 * good; else FORBIDDEN
 */
export const requireNeed = (principal: Principal, need: Need, model?: string): void => {
  if (satisfies(principal, need, model)) return;
  if (principal.name !== undefined) throw forbidden(principal, need, model);
  principal.refused();
  throw new CarpoolError(
    'UNAUTHENTICATED',
    "expected a valid key or token, as 'Authorization: Bearer …' or 'x-api-key: …'",
  );
};
