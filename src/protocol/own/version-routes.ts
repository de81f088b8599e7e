import { withoutNames } from '../../access/admin-calls.js';
import type { Action } from '../../access/need.js';
import { explain } from '../../config/explain.js';
import { versionsSchema } from '../../config/versions.js';
import { CarpoolError } from '../../errors.js';
import { readBody } from '../../http/body.js';
import { requireJson } from '../../http/content-type.js';
import { sendJson } from '../../http/reply.js';
import { pathParam, type Handler, type HttpRequest, type Route } from '../../http/router.js';
import type { Registry } from '../../models/registry.js';
import { rolesOf } from '../../models/versions/group.js';
import { policyOf, policyView, type VersionPolicy } from '../../models/versions/policy.js';
import { parseJson } from '../json/parse-json.js';

export interface VersionRoutesDeps {
  readonly registry: Registry;
  readonly limits: { readonly bodyLimitBytes: number; readonly bodyTimeoutMs: number };
  readonly guardAdmin: (handler: Handler) => Handler;
}

/** Which versions of a model answer whom: docs/versions.md. */
export const versionRoutes = ({ registry, limits, guardAdmin }: VersionRoutesDeps): readonly Route[] => {
  const body = { limitBytes: limits.bodyLimitBytes, timeoutMs: limits.bodyTimeoutMs };
  const show: Handler = (req, res) => void sendJson(res, 200, policyAnswer(registry, nameIn(req)));

  const set: Handler = async (req, res) => {
    const name = nameIn(req);
    registry.group(name);
    requireJson(req);
    await registry.setPolicy(name, parsePolicy(parseJson(await readBody(req, body))));
    sendJson(res, 200, policyAnswer(registry, name));
  };

  const rollback: Handler = (req, res) => {
    registry.rollback(nameIn(req));
    sendJson(res, 200, policyAnswer(registry, nameIn(req)));
  };

  return [
    {
      path: '/v1/models/:m/policy',
      needs: { get: 'read', put: 'manage' },
      get: discreet('read', show),
      put: guardAdmin(discreet('manage', set)),
    },
    {
      path: '/v1/models/:m/rollback',
      needs: 'manage',
      post: guardAdmin(discreet('manage', rollback)),
    },
  ];
};

/** Who may not do it with all models hears of no others. */
const discreet =
  (action: Action, handler: Handler): Handler =>
  async (req, res, exchange) => {
    try {
      await handler(req, res, exchange);
    } catch (error) {
      throw exchange.principal.mayAll(action) ? error : withoutNames(error, nameIn(req));
    }
  };

const nameIn = (req: HttpRequest): string => pathParam(req, 'm');

/** The keys of `models.<name>.versions`; those left out have their defaults. @throws CarpoolError INVALID_REQUEST */
export const parsePolicy = (raw: unknown): VersionPolicy => {
  const parsed = versionsSchema.safeParse(raw);
  if (parsed.success) return policyOf(parsed.data);
  const { issues } = parsed.error;
  const problems = explain({ schema: versionsSchema, raw, issues, at: [], locate: () => undefined });
  throw new CarpoolError('INVALID_REQUEST', problems.map(({ message }) => message).join('; '));
};

/** The policy, and what comes of it now. */
const policyAnswer = (registry: Registry, name: string): object => {
  const group = registry.group(name);
  const { policy, undo } = group.parts;
  return {
    model: name,
    policy: policyView(policy),
    default: group.currentVersion,
    versions: group.models.map((model) => ({
      version: model.info.card.version,
      roles: rolesOf(group, model.info.card.version),
      loaded_at: model.info.loadedAt,
    })),
    failed: [...registry.badVersions(name)].map(([version, { error }]) => ({ version, ...error })),
    ...(undo === undefined ? {} : { rollback_to: undo.current }),
  };
};
