import type { JSONWebKeySet, JWK } from 'jose';

/**
 * A JSON Web Key Set from its text. Its symmetric keys are left out: what is published can be no secret.
 *
 * @throws Error for what is no key set, or has no public key
 */
export const jwksOf = (text: string): JSONWebKeySet => {
  const value = parsed(text);
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('expected a JSON Web Key Set: {"keys": [...]}');
  const usable = keys.filter(isPublicKey);
  if (usable.length === 0) throw new Error('expected at least one RSA or EC key in the key set');
  return { keys: usable };
};

const isPublicKey = (key: unknown): key is JWK =>
  typeof key === 'object' && key !== null && 'kty' in key && (key.kty === 'RSA' || key.kty === 'EC');

/** Without the parser's own message, which quotes the text: the wrong file may hold a secret. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('expected a JSON Web Key Set, got no JSON');
  }
};
