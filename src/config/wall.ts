import { z } from 'zod';
import { parseBlock } from '../client-address.js';

/** Certificates, in PEM; paths are relative to the config file. Files that change are read again. */
export const tlsSchema = z
  .union([
    z.literal(false),
    z.strictObject({
      /** The server's, followed by those between it and the root. */
      certFile: z.string().min(1),
      keyFile: z.string().min(1),
      /** Who signs the clients' certificates. */
      caFile: z.string().min(1).exactOptional(),
      /** Clients without a certificate by `caFile` are turned away. */
      requireClientCert: z.boolean().default(false),
      minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
    }),
  ])
  .refine((tls) => tls === false || !tls.requireClientCert || tls.caFile !== undefined, {
    error: 'requireClientCert needs a caFile',
  })
  .meta({
    description:
      'false or an object with certFile, keyFile and, if you like, caFile, requireClientCert (needs a caFile) and minVersion',
  })
  .default(false);

export type TlsConfig = Exclude<z.infer<typeof tlsSchema>, false>;

export const trustProxySchema = z
  .union([
    z.literal(false),
    z.int().min(1).max(32),
    z.array(
      z
        .string()
        .refine((text) => parseBlock(text) !== undefined)
        .meta({ description: 'an address or a block such as "10.0.0.0/8"' }),
    ),
  ])
  .default(false);

const isOriginOrStar = (text: string): boolean =>
  text === '*' || (URL.canParse(text) && new URL(text).origin === text);

export const corsSchema = z
  .strictObject({
    /** Origins whose pages may read answers; `*` = any. Empty: none. */
    origins: z
      .array(
        z.string().refine(isOriginOrStar).meta({
          description: 'an origin such as "https://app.example.com" (no path, no final slash), or "*"',
        }),
      )
      .default([]),
  })
  .prefault({});
