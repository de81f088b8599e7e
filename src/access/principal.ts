import { CarpoolError } from '../errors.js';
import type { Action, Need } from './need.js';

/** A part of a role: these actions on these models. */
export interface Grant {
  readonly actions: readonly Action[];
  /** Names; `spam*` = all that begin so, `*` = all. */
  readonly models: readonly string[];
}

/** Who calls, and what they may do. */
export interface Principal {
  /** `key:ci` or `jwt:alice`; undefined = nobody that we know. */
  readonly name: string | undefined;
  readonly mayReadMetrics: boolean;
  may(action: Action, model: string): boolean;
  /** On at least one model, there or not. */
  mayAny(action: Action): boolean;
  mayAll(action: Action): boolean;
  /** It asked for what it may not do: to be counted. */
  refused(): void;
}

export interface PrincipalOptions {
  readonly name?: string;
  readonly grants: readonly Grant[];
  /** Default: by `read` of every model. */
  readonly mayReadMetrics?: boolean;
  readonly onRefused?: () => void;
}

export const principalOf = (options: PrincipalOptions): Principal => {
  const { name, grants, mayReadMetrics = false } = options;
  const rules = new Map<Action, ReturnType<typeof rule>>();
  for (const action of new Set(grants.flatMap(({ actions }) => actions))) {
    const patterns = grants.flatMap(({ actions, models }) => (actions.includes(action) ? models : []));
    rules.set(action, rule(patterns));
  }
  const mayAll = (action: Action): boolean => rules.get(action)?.all ?? false;
  return {
    name,
    mayReadMetrics: mayReadMetrics || mayAll('read'),
    may: (action, model) => rules.get(action)?.matches(model) ?? false,
    mayAny: (action) => rules.has(action),
    mayAll,
    refused: () => options.onRefused?.(),
  };
};

const rule = (
  patterns: readonly string[],
): { readonly all: boolean; readonly matches: (model: string) => boolean } => {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return {
    all: prefixes.includes(''),
    matches: (model) => exact.has(model) || prefixes.some((prefix) => model.startsWith(prefix)),
  };
};

/** Whoever calls while access control is off. */
export const EVERYBODY: Principal = {
  name: undefined,
  mayReadMetrics: true,
  may: () => true,
  mayAny: () => true,
  mayAll: () => true,
  refused: () => undefined,
};

/** What a request has before it was admitted: a forgotten check lets nobody in. */
export const NOBODY: Principal = principalOf({ grants: [] });

/** @param model undefined = the request has not said it yet: any will do */
export const satisfies = (principal: Principal, need: Need, model: string | undefined): boolean => {
  switch (need) {
    case 'public':
      return true;
    case 'metrics':
      return principal.mayReadMetrics;
    case 'locked':
      return principal.mayAll('manage');
    case 'infer':
    case 'read':
    case 'manage':
    case 'debug':
      return model === undefined ? principal.mayAny(need) : principal.may(need, model);
  }
};

/** The same for a model that is not there: nobody learns of models that are not theirs. */
export const forbidden = (principal: Principal, need: Need, model?: string): CarpoolError => {
  principal.refused();
  return new CarpoolError(
    'FORBIDDEN',
    `expected a caller with the right to ${RIGHTS[need]}${model === undefined ? '' : ` model '${model.slice(0, 128)}'`}`,
  );
};

const RIGHTS: Readonly<Record<Need, string>> = {
  public: 'call',
  infer: 'infer with',
  read: 'read',
  manage: 'manage',
  debug: 'debug',
  metrics: 'read every model',
  locked: 'manage every model',
};

/** @throws CarpoolError FORBIDDEN */
export const requireRight = (
  { principal }: { readonly principal: Principal },
  action: Action,
  model: string,
): void => {
  if (!principal.may(action, model)) throw forbidden(principal, action, model);
};
