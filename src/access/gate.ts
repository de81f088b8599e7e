import { CarpoolError } from '../errors.js';
import type { Need } from './need.js';
import { EVERYBODY, forbidden, satisfies, type Principal } from './principal.js';

/** Decides who may come in, for HTTP and gRPC alike. */
export interface Gate {
  /** Everybody may do everything, and has no name. */
  readonly isOpen: boolean;
  /**
   * @param presented key or token, see `presentedIn`
   * @param model the one that the path names; undefined = none, or not known yet
   * @throws CarpoolError UNAUTHENTICATED, FORBIDDEN
   */
  admit(presented: string | undefined, need: Need, model?: string): Promise<Principal>;
}

/** Access control is off. */
export const OPEN_GATE: Gate = { isOpen: true, admit: () => Promise.resolve(EVERYBODY) };

/**
 * @param identify the caller of a key or token; undefined for one that is not good
 * @param anonymous what callers without a good one may do
 */
export const createGate = (
  identify: (presented: string) => Promise<Principal | undefined>,
  anonymous: Principal,
): Gate => ({
  isOpen: false,
  admit: async (presented, need, model) => {
    const known = presented === undefined ? undefined : await identify(presented);
    const principal = known ?? anonymous;
    if (satisfies(principal, need, model)) return principal;
    throw known === undefined ? unauthenticated() : forbidden(need, model);
  },
});

/** The same for a key that is missing, wrong, or no longer good. */
const unauthenticated = (): CarpoolError =>
  new CarpoolError(
    'UNAUTHENTICATED',
    "expected a valid key or token, as 'Authorization: Bearer …' or 'x-api-key: …'",
  );
