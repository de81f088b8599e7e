import { jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { JwtConfig } from '../config/access.js';
import { isRecord } from '../config/key-path.js';

/** What a token says of its caller. */
export interface TokenCaller {
  readonly name: string;
  /** As the token has them: some may be no roles of ours. */
  readonly roles: readonly string[];
}

const MOST_NAME_CHARS = 256;

/** Cheaper than to find out by parsing; keys of ours have no dots. */
const LOOKS_SIGNED = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Reads tokens. What they may be signed with, by whom and for whom is configuration; of a token's own header only `kid`
 * and `alg` are looked at, to choose among the configured keys (`jwk`, `jku`, `x5u` and `x5c` are not). `exp` must be
 * there.
 *
 * @param unixNow milliseconds since 1970
 * @returns undefined for what is no token, or not a good one: nobody is told why
 */
export const createTokenReader =
  (
    jwt: JwtConfig,
    key: JWTVerifyGetKey,
    unixNow: () => number,
  ): ((token: string) => Promise<TokenCaller | undefined>) =>
  async (token) => {
    if (!LOOKS_SIGNED.test(token)) return undefined;
    try {
      const { payload } = await jwtVerify(token, key, {
        issuer: jwt.issuer,
        audience: jwt.audience,
        algorithms: jwt.algorithms,
        clockTolerance: jwt.clockSkewSeconds,
        currentDate: new Date(unixNow()),
        requiredClaims: ['exp'],
      });
      return callerOf(payload, jwt);
    } catch {
      return undefined;
    }
  };

const callerOf = (payload: JWTPayload, { nameClaim, rolesClaim }: JwtConfig): TokenCaller | undefined => {
  const name = claimAt(payload, nameClaim);
  if (typeof name !== 'string' || name === '' || name.length > MOST_NAME_CHARS) return undefined;
  const claimed = claimAt(payload, rolesClaim);
  const roles: readonly unknown[] =
    typeof claimed === 'string' ? claimed.split(' ') : Array.isArray(claimed) ? claimed : [];
  return { name, roles: roles.filter((role) => typeof role === 'string') };
};

/** The claim of this name, else the one that its dots lead to. */
const claimAt = (payload: JWTPayload, name: string): unknown => {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name
    .split('.')
    .reduce<unknown>((at, part) => (isRecord(at) && Object.hasOwn(at, part) ? at[part] : undefined), payload);
};
