import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { z } from 'zod';
import { createGateway } from '../../../src/gateway.js';
import { openApiDocument } from '../../../src/protocol/openapi/document.js';
import { ownErrors, statusesOf, teiErrors } from '../../../src/protocol/openapi/errors.js';
import { OPERATIONS } from '../../../src/protocol/openapi/operations/index.js';
import { SHIPPED_MODELS } from '../../support/start-gateway.js';

/** Of Express: what a router keeps of each path. */
interface Layer {
  readonly route?:
    { readonly path: string; readonly stack: readonly { readonly method?: string }[] } | undefined;
}

const NAMES: Readonly<Record<string, string>> = { m: 'model', v: 'version' };

/** `/v1/models/:m\\:predict` -> `/v1/models/{model}:predict` */
const templateOf = (path: string): string =>
  path.replace(/(?<!\\):(\w+)/g, (_, name: string) => `{${NAMES[name] ?? name}}`).replaceAll('\\', '');

const servedRoutes = (): string[] => {
  const { router } = createGateway({ models: { root: SHIPPED_MODELS }, log: { level: 'silent' } });
  const layers: readonly Layer[] = router.stack;
  return layers.flatMap(({ route }) =>
    route === undefined
      ? []
      : route.stack.flatMap(({ method }) =>
          // What refuses every other method has none of its own.
          method === undefined ? [] : [`${method} ${templateOf(route.path)}`],
        ),
  );
};

/** Every value under the key, however deep. */
const valuesOf = (node: unknown, key: string): unknown[] => {
  if (typeof node !== 'object' || node === null) return [];
  const entries: readonly (readonly [string, unknown])[] = Object.entries(node);
  return entries.flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(value, key)]);
};

describe('the OpenAPI document', () => {
  const document = openApiDocument();

  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect([errors, valid]).toEqual([undefined, true]);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  it('has every route of the gateway, and no other', () => {
    const documented = OPERATIONS.flatMap(({ method, paths }) => paths.map((path) => `${method} ${path}`));
    expect(documented.toSorted()).toEqual(servedRoutes().toSorted());
    expect(documented).toHaveLength(new Set(documented).size);
  });

  it('refers to nothing that it has not', () => {
    const refs = valuesOf(document, '$ref').map(String);
    expect(refs.length).toBeGreaterThan(100);
    for (const ref of new Set(refs)) {
      const parts = ref.replace(/^#\//, '').split('/');
      const found = parts.reduce<unknown>(
        (node, part) => (typeof node === 'object' && node !== null ? Reflect.get(node, part) : undefined),
        document,
      );
      expect([ref, typeof found]).toEqual([ref, 'object']);
    }
    const ids = valuesOf(document, 'operationId');
    expect(ids).toHaveLength(new Set(ids).size);
  });

  it('has schemas that take the examples, as printed', () => {
    const { components } = JSON.parse(JSON.stringify(document)) as {
      readonly components: { readonly schemas: Readonly<Record<string, z.core.JSONSchema.JSONSchema>> };
    };
    for (const { body, examples } of OPERATIONS)
      for (const example of examples) {
        if (body === undefined || example.body === undefined) continue;
        const printed = z.fromJSONSchema(components.schemas[body.name]!);
        expect([body.name, printed.safeParse(example.body).error?.message]).toEqual([body.name, undefined]);
        expect([body.name, printed.safeParse('text').success]).toEqual([body.name, false]);
      }
  });

  it('names one schema by one name', () => {
    const all = OPERATIONS.flatMap(({ body, answer }) => [body, answer]).filter((each) => each !== undefined);
    const byName = new Map(all.map(({ name, schema }) => [name, schema]));
    for (const { name, schema } of all) expect([name, byName.get(name) === schema]).toEqual([name, true]);
  });

  it('has the statuses of the table of errors, each protocol its own', () => {
    expect(Object.fromEntries(statusesOf(ownErrors('run')))).toMatchObject({
      400: ['INVALID_REQUEST'],
      404: ['MODEL_NOT_FOUND'],
      429: ['QUEUE_FULL', 'RATE_LIMITED'],
      504: ['DEADLINE_EXCEEDED'],
    });
    expect(Object.fromEntries(statusesOf(teiErrors('run')))).toMatchObject({
      400: ['INVALID_REQUEST'],
      422: ['INVALID_REQUEST', 'INPUT_TOO_LONG'],
      424: ['MODEL_NOT_FOUND', 'EXECUTION_FAILED'],
    });
  });
});
