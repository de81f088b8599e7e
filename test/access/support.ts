import { hashOfKey, newKey } from '../../src/access/key-hash.js';
import { requireNeed, type Gate } from '../../src/access/gate.js';
import type { Need } from '../../src/access/need.js';
import type { Principal } from '../../src/access/principal.js';
import type { ConfigInput } from '../../src/config/schema.js';
import type { Logger } from '../../src/telemetry/logger.js';
import { createLogger } from '../../src/telemetry/logger.js';

export type AccessInput = NonNullable<ConfigInput['access']>;

/** Role -> what it allows. `spam` and `others` see one model each; `spa*` covers the first. */
export const ROLES = {
  infer: [{ actions: ['infer'], models: ['*'] }],
  read: [{ actions: ['read'], models: ['*'] }],
  manage: [{ actions: ['manage'], models: ['*'] }],
  debug: [{ actions: ['debug'], models: ['*'] }],
  all: [{ actions: ['infer', 'read', 'manage', 'debug'], models: ['*'] }],
  spam: [{ actions: ['infer', 'read', 'manage', 'debug'], models: ['spa*'] }],
  others: [{ actions: ['infer', 'read', 'manage', 'debug'], models: ['fraud_detector'] }],
} as const satisfies Record<string, unknown>;

export type Role = keyof typeof ROLES;

export const ROLE_NAMES = Object.keys(ROLES) as Role[];

export const rolesInput = (): NonNullable<AccessInput['roles']> =>
  Object.fromEntries(
    Object.entries(ROLES).map(([name, grants]) => [
      name,
      grants.map(({ actions, models }) => ({ actions: [...actions], models: [...models] })),
    ]),
  );

/** One key for every role, named as the role. */
export const keysOfRoles = (): {
  readonly access: AccessInput;
  readonly keyOf: Readonly<Record<Role, string>>;
} => {
  const made = ROLE_NAMES.map((role) => [role, newKey()] as const);
  // Checked: made of all role names.
  const keyOf = Object.fromEntries(made) as Record<Role, string>;
  const keys = made.map(([role, key]) => ({ name: role, hash: hashOfKey(key), roles: [role] }));
  return { access: { roles: rolesInput(), keys }, keyOf };
};

export interface LogLines {
  readonly logger: Logger;
  readonly text: () => string;
  /** Parsed. */
  readonly lines: () => readonly Readonly<Record<string, unknown>>[];
}

/** A logger that keeps all that it writes, at its most talkative. */
export const keepingLogger = (): LogLines => {
  const kept: string[] = [];
  return {
    logger: createLogger({ level: 'trace', format: 'json' }, { write: (line: string) => kept.push(line) }),
    text: () => kept.join(''),
    lines: () => kept.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
};

/** What HTTP and gRPC do with every request. @throws CarpoolError UNAUTHENTICATED, FORBIDDEN */
export const admit = async (
  gate: Gate,
  presented: string | undefined,
  need: Need,
  model?: string,
): Promise<Principal> => {
  const principal = await gate.identify(presented);
  requireNeed(principal, need, model);
  return principal;
};
