import { generateKeyPair, SignJWT, type CryptoKey, type JWTHeaderParameters } from 'jose';
import { createHmac, createSecretKey, KeyObject } from 'node:crypto';

/** Seconds since 1970 at which the tests take place. */
export const NOW_S = 1_800_000_000;

export const ISSUER = 'https://id.example/';
export const AUDIENCE = 'carpool';

export interface Claims {
  readonly [claim: string]: unknown;
}

/** What a good token says. */
export const GOOD: Claims = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'alice',
  roles: ['read'],
  exp: NOW_S + 60,
};

export interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly pem: string;
}

export const makePair = async (algorithm: 'RS256' | 'ES256'): Promise<KeyPair> => {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const pem = KeyObject.from(publicKey).export({ type: 'spki', format: 'pem' }).toString();
  return { privateKey, publicKey, pem };
};

/** @param claims over those of a good token; undefined takes one away */
export const sign = (
  key: CryptoKey | string,
  header: JWTHeaderParameters,
  claims: Claims = {},
): Promise<string> => {
  const payload = Object.fromEntries(
    Object.entries({ ...GOOD, ...claims }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload)
    .setProtectedHeader(header)
    .sign(typeof key === 'string' ? createSecretKey(Buffer.from(key)) : key);
};

/** Put together by hand: what no library would make. */
export const forge = (header: object, claims: Claims = GOOD, signature = ''): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
};

/** The same with the MAC that fits. */
export const forgeWith = (secret: string, header: object, claims: Claims = GOOD): string => {
  const token = forge(header, claims);
  return token + createHmac('sha256', secret).update(token.slice(0, -1)).digest('base64url');
};
