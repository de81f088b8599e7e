import type { Codec } from '../../codec/codec.js';
import { readBody } from '../../http/body.js';
import { requireJson } from '../../http/content-type.js';
import type { HttpRequest } from '../../http/router.js';
import type { Registry } from '../../models/registry.js';
import type { Responder } from '../respond.js';

/** What the routes of every protocol for texts need. */
export interface ProtocolDeps {
  readonly registry: Registry;
  readonly codec: Codec;
  readonly responder: Responder;
  readonly limits: {
    readonly bodyLimitBytes: number;
    readonly bodyTimeoutMs: number;
    readonly maxRequestRows: number;
  };
}

/** @throws CarpoolError UNSUPPORTED_MEDIA_TYPE, and as `readBody` */
export const jsonBodyReader =
  ({ bodyLimitBytes, bodyTimeoutMs }: ProtocolDeps['limits']) =>
  (req: HttpRequest): Promise<Uint8Array> => {
    requireJson(req);
    return readBody(req, { limitBytes: bodyLimitBytes, timeoutMs: bodyTimeoutMs });
  };
