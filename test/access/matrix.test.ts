import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Need } from '../../src/access/need.js';
import { newKey } from '../../src/access/key-hash.js';
import { loadServices } from '../../src/protocol/grpc/protos.js';
import { GrpcClient } from '../support/grpc-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { keysOfRoles, ROLE_NAMES, type Role } from './support.js';

type Shape = 'own' | 'message' | 'tei' | 'openai';

/** What every route asks of its caller, written down a second time, and the shape of its errors. */
const ROUTES: Readonly<Record<string, readonly [Need, Shape]>> = {
  'get /health': ['public', 'own'],
  'get /healthz': ['public', 'own'],
  'get /readyz': ['public', 'own'],
  'get /metrics': ['metrics', 'own'],
  'get /openapi.json': ['read', 'own'],
  'get /docs': ['read', 'own'],
  'get /docs/:file': ['read', 'own'],
  'get /debug/batcher': ['debug', 'own'],
  'get /debug/log-level': ['debug', 'own'],
  'put /debug/log-level': ['locked', 'own'],
  'post /predict': ['infer', 'own'],
  'get /v1/models': ['read', 'own'],
  'post /v1/models': ['manage', 'own'],
  'get /v1/models/:m': ['read', 'own'],
  'delete /v1/models/:m': ['manage', 'own'],
  'post /v1/models/:m/infer': ['infer', 'own'],
  'post /v1/models/:m/versions/:v/infer': ['infer', 'own'],
  'get /v1/models/:m/policy': ['read', 'own'],
  'put /v1/models/:m/policy': ['manage', 'own'],
  'post /v1/models/:m/rollback': ['manage', 'own'],
  'post /v1/models/:m\\:predict': ['infer', 'message'],
  'post /v1/models/:m/versions/:v\\:predict': ['infer', 'message'],
  'get /v1/models/:m/versions/:v': ['read', 'message'],
  'post /embed': ['infer', 'tei'],
  'post /embed_all': ['infer', 'tei'],
  'post /rerank': ['infer', 'tei'],
  'post /similarity': ['infer', 'tei'],
  'post /tokenize': ['infer', 'tei'],
  'post /decode': ['infer', 'tei'],
  'get /info': ['read', 'tei'],
  'post /v1/embeddings': ['infer', 'openai'],
  'post /embeddings': ['infer', 'openai'],
  'post /': ['infer', 'message'],
  'post /models/:m': ['infer', 'message'],
  'post /models/:m/pipeline/:task': ['infer', 'message'],
  'post /pipeline/:task/:m': ['infer', 'message'],
  'get /v2/health/live': ['public', 'message'],
  'get /v2/health/ready': ['public', 'message'],
  'get /v2': ['read', 'message'],
  'get /v2/models/stats': ['read', 'message'],
  'get /v2/models/:m': ['read', 'message'],
  'get /v2/models/:m/versions/:v': ['read', 'message'],
  'get /v2/models/:m/ready': ['read', 'message'],
  'get /v2/models/:m/versions/:v/ready': ['read', 'message'],
  'get /v2/models/:m/config': ['read', 'message'],
  'get /v2/models/:m/versions/:v/config': ['read', 'message'],
  'get /v2/models/:m/stats': ['read', 'message'],
  'get /v2/models/:m/versions/:v/stats': ['read', 'message'],
  'post /v2/models/:m/infer': ['infer', 'message'],
  'post /v2/models/:m/versions/:v/infer': ['infer', 'message'],
  'post /v2/repository/index': ['read', 'message'],
  'post /v2/repository/models/:m/load': ['manage', 'message'],
  'post /v2/repository/models/:m/unload': ['manage', 'message'],
};

/** The same of gRPC: the need, and where the message names the model. */
const METHODS: Readonly<Record<string, readonly [Need, string?]>> = {
  Check: ['public'],
  ServerLive: ['public'],
  ServerReady: ['public'],
  ServerMetadata: ['read'],
  ModelReady: ['read', 'name'],
  ModelMetadata: ['read', 'name'],
  ModelConfig: ['read', 'name'],
  ModelStatistics: ['read', 'name'],
  ModelInfer: ['infer', 'model_name'],
  ModelStreamInfer: ['infer', 'model_name'],
  RepositoryIndex: ['read'],
  RepositoryModelLoad: ['manage', 'model_name'],
  RepositoryModelUnload: ['manage', 'model_name'],
};

const CALLERS = ['nobody', 'stranger', ...ROLE_NAMES] as const;
type Caller = (typeof CALLERS)[number];

/** A model that is there, and one that is not; both names begin as those of `spam`'s role. */
const MODELS = ['spam', 'spare', 'fraud_detector', 'absent'] as const;

const MODEL_ROLES: Partial<Record<Caller, (model: string) => boolean>> = {
  spam: (model) => model.startsWith('spa'),
  others: (model) => model === 'fraud_detector',
};

/** What is about all models at once: the role that has it. */
const OF_ALL: Partial<Record<Need, Caller>> = { metrics: 'read', locked: 'manage' };

/** Of the role's own table, as a person would read it. */
const mayCall = (caller: Caller, need: Need, model: string | undefined): boolean => {
  if (need === 'public') return true;
  if (caller === 'nobody' || caller === 'stranger') return false;
  if (caller === 'all') return true;
  const ofModels = MODEL_ROLES[caller];
  if (ofModels !== undefined) return !(need in OF_ALL) && (model === undefined || ofModels(model));
  return caller === (OF_ALL[need] ?? need);
};

const { access, keyOf } = keysOfRoles();
const strangersKey = newKey();
const keyFor = (caller: Caller): string | undefined =>
  caller === 'nobody' ? undefined : caller === 'stranger' ? strangersKey : keyOf[caller satisfies Role];

let running: Running;
let grpc: GrpcClient;

beforeAll(async () => {
  running = await startGateway({ access, grpc: { enabled: true, port: 0 } });
  grpc = new GrpcClient(running.grpc!);
});

afterAll(async () => {
  grpc.close();
  await running.close();
});

/** Of Express: what a router keeps of each path. */
interface Layer {
  readonly route?:
    { readonly path: string; readonly stack: readonly { readonly method?: string }[] } | undefined;
}

const pathTo = (path: string, model: string): string =>
  path
    .replace(/(?<!\\):m\b/, model)
    .replace(/(?<!\\):v\b/, '1')
    .replace(/(?<!\\):task\b/, 'text-classification')
    .replace(/(?<!\\):file\b/, 'init.js')
    .replaceAll('\\', '');

const isOfShape = (shape: Shape, body: unknown): boolean => {
  const { error, ...rest } = body as { error?: unknown; error_type?: unknown };
  switch (shape) {
    case 'own':
      return typeof (error as { code?: unknown; requestId?: unknown }).requestId === 'string';
    case 'message':
      return typeof error === 'string' && Object.keys(rest).length === 0;
    case 'tei':
      return typeof error === 'string' && typeof rest.error_type === 'string';
    case 'openai':
      return (error as { type?: unknown }).type === 'invalid_request_error';
  }
};

describe('every route of HTTP', () => {
  it('is in the table', () => {
    const layers: readonly Layer[] = running.gateway.router.stack;
    const served = layers.flatMap(({ route }) =>
      (route?.stack ?? []).flatMap(({ method }) =>
        method === undefined ? [] : [`${method} ${route!.path}`],
      ),
    );
    expect(Object.keys(ROUTES).toSorted()).toEqual(served.toSorted());
  });

  describe.each(CALLERS)('for %s', (caller) => {
    it.each(Object.entries(ROUTES))('%s', async (route, [need, shape]) => {
      const [method = '', path = ''] = route.split(' ');
      for (const model of path.includes(':m') ? MODELS : [undefined]) {
        const allowed = mayCall(caller, need, model);
        // What is allowed happens: models that the others need must stay.
        if (allowed && need === 'manage' && model !== 'absent' && model !== 'spare') continue;
        const key = keyFor(caller);
        const reply = await running.client.send({
          method: method.toUpperCase(),
          path: pathTo(path, model ?? ''),
          ...(method === 'post' || method === 'put' ? { body: {} } : {}),
          headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
        });
        const what = `${route} ${model ?? ''}: ${reply.text.slice(0, 200)}`;
        if (allowed) {
          expect([what, reply.status === 401 || reply.status === 403]).toEqual([what, false]);
        } else {
          const isKnown = caller !== 'nobody' && caller !== 'stranger';
          expect([what, reply.status]).toEqual([what, isKnown ? 403 : 401]);
          expect([what, isOfShape(shape, JSON.parse(reply.text))]).toEqual([what, true]);
          expect(reply.headers['www-authenticate']).toBe(isKnown ? undefined : 'Bearer realm="carpool"');
        }
      }
    });
  });
});

describe('every method of gRPC', () => {
  it('is in the table', () => {
    const { inference, health } = loadServices();
    // Watch has no end, and needs what Check does: the whole service is public.
    const served = [...Object.keys(inference), ...Object.keys(health)].filter((name) => name !== 'Watch');
    expect(Object.keys(METHODS).toSorted()).toEqual(served.toSorted());
  });

  describe.each(CALLERS)('for %s', (caller) => {
    it.each(Object.entries(METHODS))('%s', async (method, [need, field]) => {
      for (const model of field === undefined ? [undefined] : MODELS) {
        const allowed = mayCall(caller, need, model);
        if (allowed && need === 'manage' && model !== 'absent' && model !== 'spare') continue;
        const key = keyFor(caller);
        const reply = await grpc.ask(method, field === undefined ? {} : { [field]: model }, {
          metadata: key === undefined ? {} : { 'x-api-key': key },
        });
        const known = caller === 'nobody' || caller === 'stranger' ? 'UNAUTHENTICATED' : 'FORBIDDEN';
        const message = reply.details || (reply.value.error_message ?? '');
        const got =
          method === 'ModelStreamInfer' && message.startsWith('expected a caller')
            ? 'FORBIDDEN'
            : reply.carpoolCode;
        const isRefused = got === 'UNAUTHENTICATED' || got === 'FORBIDDEN';
        const what = `${method} ${model ?? ''}: ${reply.code} ${message}`;
        expect([what, isRefused ? got : undefined]).toEqual([what, allowed ? undefined : known]);
        if (isRefused && method !== 'ModelStreamInfer')
          expect(reply.code).toBe(known === 'FORBIDDEN' ? 7 : 16);
      }
    });
  });
});
