import path from 'node:path';
import {
  keysFileSchema,
  unknownRoles,
  type AccessConfig,
  type JwtConfig,
  type KeyConfig,
} from '../config/access.js';
import { ConfigError } from '../config/config-error.js';
import { explain } from '../config/explain.js';
import { readYaml } from '../config/yaml-source.js';
import { messageOf } from '../errors.js';
import { createGate, OPEN_GATE, type Gate } from './gate.js';
import { createTokenReader } from './jwt.js';
import { jwtKeyOf, type JwtKeyDeps } from './jwt-key.js';
import { KeyRing } from './key-hash.js';
import { principalOf, type Grant, type Principal } from './principal.js';
import { WatchedFile } from './watched-file.js';

export interface GateDeps extends JwtKeyDeps {
  /** Milliseconds since 1970. */
  readonly unixNow: () => number;
  /** Somebody was refused; default: nobody is told. */
  readonly onRefused?: (reason: AuthFailure) => void;
}

/** Came without a key or token, came with one that is not good, or is known and may not do that. */
export type AuthFailure = 'missing' | 'invalid' | 'forbidden';

/**
 * The gate that `access` describes.
 *
 * @param access undefined = everybody may do everything
 * @throws ConfigError where a file or variable that it names can not be used
 */
export const gateOf = (access: AccessConfig | undefined, deps: GateDeps): Gate => {
  if (access === undefined) return OPEN_GATE;
  const make = principalsOf(access, deps.onRefused);
  const fixed = new KeyRing(access.keys.map((key) => ({ hash: key.hash, value: keyHolder(key, make) })));
  const fromFile = access.keysFile === undefined ? undefined : keysIn(access.keysFile, access, make, deps);
  const readToken = access.jwt === undefined ? undefined : tokenReaderOf(access.jwt, deps);
  return createGate(
    async (presented) => {
      const holder = fixed.find(presented) ?? (await fromFile?.current())?.find(presented);
      if (holder !== undefined) return holder;
      const caller = await readToken?.(presented);
      return caller && make(`jwt:${caller.name}`, caller.roles);
    },
    make(undefined, [], 'missing'),
    make(undefined, [], 'invalid'),
  );
};

/** @param failure what it is to refuse it something; default: it is known and may not */
type MakePrincipal = (name: string | undefined, roles: readonly string[], failure?: AuthFailure) => Principal;

/** What anybody may do without credentials, a caller with some may do, too. */
const principalsOf = (access: AccessConfig, onRefused: GateDeps['onRefused']): MakePrincipal => {
  const roles = new Map(Object.entries(access.roles));
  const actions = access.public.filter((each) => each !== 'metrics');
  const everybodys: readonly Grant[] = [{ actions, models: ['*'] }];
  const mayReadMetrics = access.public.includes('metrics');
  return (name, named, failure = 'forbidden') =>
    principalOf({
      ...(name === undefined ? {} : { name }),
      grants: [...everybodys, ...named.flatMap((role) => roles.get(role) ?? [])],
      mayReadMetrics,
      onRefused: () => onRefused?.(failure),
    });
};

const keyHolder = ({ name, roles }: KeyConfig, make: MakePrincipal): Principal => make(`key:${name}`, roles);

const keysIn = (
  name: string,
  access: AccessConfig,
  make: MakePrincipal,
  deps: GateDeps,
): WatchedFile<KeyRing<Principal>> =>
  orConfigError('access.keysFile', name, () => {
    const parse = (text: string): KeyRing<Principal> =>
      new KeyRing(
        parseKeys(text, name, Object.keys(access.roles)).map((key) => ({
          hash: key.hash,
          value: keyHolder(key, make),
        })),
      );
    return new WatchedFile(path.resolve(deps.baseDir, name), parse, deps);
  });

/** @throws ConfigError naming every line that is wrong */
const parseKeys = (text: string, name: string, roles: readonly string[]): readonly KeyConfig[] => {
  const source = readYaml(text, name);
  const { raw } = source;
  const checked = keysFileSchema.safeParse(raw);
  const locate = (keys: readonly (string | number)[]): { where: string; names: boolean } | undefined => {
    const line = source.lineOf(keys);
    return line === undefined ? undefined : { where: `${name}:${line}`, names: false };
  };
  if (!checked.success) {
    const { issues } = checked.error;
    throw new ConfigError(explain({ schema: keysFileSchema, raw, issues, at: [], locate }));
  }
  const [wrong] = unknownRoles(roles, checked.data.keys);
  if (wrong !== undefined) {
    const place = locate(wrong.keys)?.where ?? name;
    throw new Error(`${place}: expected ${wrong.expected}, got ${wrong.got}`);
  }
  return checked.data.keys;
};

const tokenReaderOf = (jwt: JwtConfig, deps: GateDeps): ReturnType<typeof createTokenReader> => {
  const source = jwt.secretFile ?? jwt.publicKeyFile ?? jwt.jwksFile ?? jwt.secretEnv ?? '';
  const key = orConfigError('access.jwt', source, () => jwtKeyOf(jwt, deps));
  return createTokenReader(jwt, key, deps.unixNow);
};

/** Never with the content: it may be a secret. */
const orConfigError = <T>(where: string, source: string, make: () => T): T => {
  try {
    return make();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const message = `${where} (${source}): ${messageOf(error)}`;
    throw new ConfigError([{ path: where, message }]);
  }
};
