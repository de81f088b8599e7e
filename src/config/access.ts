import { z } from 'zod';
import { KEY_HASH } from '../access/key-hash.js';
import { shorten } from './config-error.js';
import type { KeyPath } from './key-path.js';

/** Fit for logs, metrics and the keys of a store. */
export const CALLER_NAME = /^[\w.@+-]{1,128}$/;

const callerName = z
  .string()
  .regex(CALLER_NAME)
  .meta({ description: 'a name of letters, digits and "_ . @ + -", at most 128' });

const modelPattern = z
  .string()
  .regex(/^[^*]*\*?$/)
  .min(1)
  .meta({ description: 'a model\'s name, the start of some ("spam*") or all ("*")' });

const keyHash = z
  .string()
  .regex(KEY_HASH)
  .meta({ description: '"sha256:" and 64 hexadecimal digits, as `carpool key` prints it', secret: true });

const isJwksUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  // `fetch` takes none, and the URL is logged.
  if (username !== '' || password !== '') return false;
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
  );
};

const keySchema = z.strictObject({
  /** Whom the work is charged to, and who stands in the audit log. Two keys of one name are one caller. */
  name: callerName,
  hash: keyHash,
  /** Names of `access.roles`. */
  roles: z.array(z.string().min(1)).min(1),
});

/** The file that `access.keysFile` names. */
export const keysFileSchema = z.strictObject({ keys: z.array(keySchema) });

const grantSchema = z.strictObject({
  actions: z.array(z.enum(['infer', 'read', 'manage', 'debug'])).min(1),
  /** Names; `spam*` = all that begin so, `*` = all. */
  models: z.array(modelPattern).min(1),
});

const ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const;
const KEY_SOURCES = ['secretFile', 'secretEnv', 'publicKeyFile', 'jwksFile', 'jwksUrl'] as const;

const jwtSchema = z.strictObject({
  /** `iss` of the tokens. */
  issuer: z.string().min(1),
  /** `aud` of the tokens, or one of theirs. */
  audience: z.string().min(1),
  /** What they may be signed with, whatever they say themselves. */
  algorithms: z.array(z.enum(ALGORITHMS)).min(1),
  /** HS256: file with the secret, at least 32 bytes; space around it does not count. */
  secretFile: z.string().min(1).exactOptional(),
  /** HS256: name of the environment variable with the secret. */
  secretEnv: z.string().min(1).exactOptional(),
  /** RS256 or ES256: PEM file with the public key. */
  publicKeyFile: z.string().min(1).exactOptional(),
  /** RS256 and ES256: JSON Web Key Set. */
  jwksFile: z.string().min(1).exactOptional(),
  /** The same from the identity provider: read when it is first needed, then every ten minutes and for unknown keys. */
  jwksUrl: z
    .string()
    .refine(isJwksUrl)
    .meta({ description: 'an https URL without credentials (http only for this machine)', secret: true })
    .exactOptional(),
  /** How far the clocks may be apart. */
  clockSkewSeconds: z.int().min(0).max(300).default(30),
  /** Claim that names the caller. */
  nameClaim: z.string().min(1).default('sub'),
  /** Claim with the names of roles: a list, or text with spaces between; `a.b` = b within a. */
  rolesClaim: z.string().min(1).default('roles'),
});

/** Its presence switches access control on: then all is denied that no role allows. */
export const accessSchema = z.strictObject({
  /** Name -> what its callers may do. */
  roles: z.record(z.string(), z.array(grantSchema)).default({}),
  /** API keys, of which only hashes are kept. */
  keys: z.array(keySchema).default([]),
  /** YAML file with more `keys`, read again when it changes; relative to the config file. */
  keysFile: z.string().min(1).exactOptional(),
  jwt: jwtSchema.exactOptional(),
  /** What callers without credentials may do, with every model; `metrics` = read /metrics only. */
  public: z.array(z.enum(['infer', 'read', 'metrics'])).default([]),
});

export type AccessConfig = z.infer<typeof accessSchema>;
export type JwtConfig = z.infer<typeof jwtSchema>;
export type KeyConfig = z.infer<typeof keySchema>;

export interface Misfit {
  /** Below `access`. */
  readonly keys: KeyPath;
  readonly expected: string;
  readonly got: string;
}

/** Roles that keys name and that are not there. */
export const unknownRoles = (
  roles: readonly string[],
  keys: readonly { readonly roles: readonly string[] }[],
): readonly Misfit[] =>
  keys.flatMap((key, at) =>
    key.roles.flatMap((role, place) =>
      roles.includes(role)
        ? []
        : [
            {
              keys: ['keys', at, 'roles', place],
              expected: `one of access.roles (${roles.join(', ') || 'there is none'})`,
              got: shorten(role),
            },
          ],
    ),
  );

/** What is wrong between keys of `access`, each right in itself. */
export const accessMisfits = ({ roles, keys, jwt }: AccessConfig): readonly Misfit[] => [
  ...unknownRoles(Object.keys(roles), keys),
  ...(jwt === undefined ? [] : jwtMisfits(jwt)),
];

const jwtMisfits = (jwt: JwtConfig): readonly Misfit[] => {
  const sources = KEY_SOURCES.filter((source) => jwt[source] !== undefined);
  const [source] = sources;
  if (source === undefined || sources.length > 1)
    return [
      {
        keys: ['jwt'],
        expected: `one of ${KEY_SOURCES.join(', ')}`,
        got: sources.join(' and ') || 'none of them',
      },
    ];
  // A secret and a public key in one place would let a token be signed with the key that everybody knows.
  const fitting = source.startsWith('secret') ? ['HS256'] : ['RS256', 'ES256'];
  const most = source === 'publicKeyFile' ? 1 : fitting.length;
  const { algorithms } = jwt;
  if (algorithms.every((algorithm) => fitting.includes(algorithm)) && algorithms.length <= most) return [];
  return [
    {
      keys: ['jwt', 'algorithms'],
      expected: `[${fitting.join(most === 1 ? '] or [' : ', ')}], which is what ${source} is for`,
      got: shorten(algorithms),
    },
  ];
};
