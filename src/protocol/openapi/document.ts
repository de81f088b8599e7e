import { z } from 'zod';
import type { ErrorCode } from '../../errors.js';
import { VERSION } from '../../version.js';
import { statusesOf } from './errors.js';
import {
  HEADERS,
  QUERY,
  TAGS,
  type Errors,
  type HeaderName,
  type Named,
  type Operation,
} from './operation.js';
import { OPERATIONS } from './operations/index.js';

const PREFIX = '#/components/schemas/';

const PARAMETERS: Readonly<Record<string, string>> = {
  model: 'Name of a model',
  version: 'The one that the card of the model names',
  task: 'A pipeline of transformers, as text-classification',
  file: 'Name of a file',
};

const SECURITY: Readonly<Record<string, object>> = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a JWT: docs/access.md' },
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
};

/** The OpenAPI 3.1 document of every route, made from the schemas and the table of errors. Plain JSON. */
export const openApiDocument = (): Record<string, unknown> => {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS)
    for (const path of operation.paths)
      paths[path] = { ...paths[path], [operation.method]: operationObject(operation, path) };
  return {
    openapi: '3.1.1',
    info: {
      title: 'Carpool',
      version: VERSION,
      summary: 'Dynamic micro-batching inference gateway for ONNX models',
      description: 'Whatever protocol a request comes by, it is batched with all others.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Where the document lies: the gateway may be mounted below a path.
    servers: [{ url: '.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    // None of them: what is public, and everything where access control is off.
    security: [{ bearer: [] }, { apiKey: [] }, {}],
    paths,
    components: { schemas: schemasOf(OPERATIONS), headers: headerObjects(), securitySchemes: SECURITY },
  };
};

const operationObject = (operation: Operation, path: string): object => {
  const { method, tag, summary, description } = operation;
  const parameters = [...pathParameters(operation, path), ...otherParameters(operation)];
  return {
    operationId: [method, ...(path.match(/\w+/g) ?? ['root'])].join('_'),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(operation),
    responses: responses(operation),
  };
};

const pathParameters = ({ examples }: Operation, path: string): object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const values = new Set(examples.flatMap(({ params }) => params?.[name] ?? []));
    return {
      name,
      in: 'path',
      required: true,
      description: PARAMETERS[name] ?? name,
      schema: { type: 'string', examples: [...values] },
    };
  });

const otherParameters = ({ requestHeaders = [], query = [], runs }: Operation): object[] => {
  const headers: readonly HeaderName[] = [
    ...requestHeaders,
    ...(runs === true ? (['X-Server-Timing'] as const) : []),
  ];
  return [
    ...query.map((name) => {
      const { description, ...schema } = QUERY[name];
      return { name, in: 'query', description, schema };
    }),
    ...headers.map((name) => ({
      name,
      in: 'header',
      description: HEADERS[name],
      schema: { type: 'string' },
    })),
  ];
};

const requestBody = ({ body, bodyOptional = false, otherBodies = {}, examples }: Operation): object => {
  if (body === undefined) return {};
  const shown = examples.flatMap(({ name, body: value }) =>
    value === undefined ? [] : [[name, { value }] as const],
  );
  const json = {
    schema: refTo(body),
    ...(shown.length === 0 ? {} : { examples: Object.fromEntries(shown) }),
  };
  return {
    requestBody: {
      required: !bodyOptional,
      content: { 'application/json': json, ...mediaTypes(otherBodies) },
    },
  };
};

const mediaTypes = (types: Readonly<Record<string, string | Named>>): Record<string, object> =>
  Object.fromEntries(
    Object.entries(types).map(([type, what]) => [
      type,
      typeof what === 'string' ? { schema: { description: what } } : { schema: refTo(what) },
    ]),
  );

const responses = (operation: Operation): Record<string, object> => {
  const {
    answer,
    otherAnswers = {},
    answersUnready,
    errors,
    otherErrors,
    runs,
    responseHeaders = [],
  } = operation;
  const content = { ...(answer === undefined ? {} : { 'application/json': { schema: refTo(answer) } }), ...mediaTypes(otherAnswers) }; // prettier-ignore
  const ofRuns: readonly HeaderName[] = runs === true ? ['Server-Timing', 'x-carpool-cache', 'Age'] : [];
  const all: Record<string, object> = {
    200: { description: 'Done', headers: headersOf([...ofRuns, ...responseHeaders]), content },
  };
  for (const [status, found] of errorsByStatus([errors, ...(otherErrors === undefined ? [] : [otherErrors])]))
    all[status] = errorResponse(status, found);
  if (responseHeaders.includes('ETag'))
    all[304] = { description: 'If-None-Match names it', headers: headersOf([]) };
  if (answersUnready === true) all[503] = { description: 'Not ready', headers: headersOf([]), content };
  return all;
};

interface ErrorAnswer {
  readonly codes: readonly ErrorCode[];
  readonly body: Named;
}

const errorsByStatus = (all: readonly Errors[]): ReadonlyMap<number, readonly ErrorAnswer[]> => {
  const statuses = new Map<number, readonly ErrorAnswer[]>();
  for (const errors of all)
    for (const [status, codes] of statusesOf(errors))
      statuses.set(status, [...(statuses.get(status) ?? []), { codes, body: errors.body }]);
  return statuses;
};

const errorResponse = (status: number, answers: readonly ErrorAnswer[]): object => {
  const schemas = answers.map(({ body }) => refTo(body));
  return {
    description: [...new Set(answers.flatMap(({ codes }) => codes))].join(', '),
    headers: headersOf([429, 503, 504].includes(status) ? ['Retry-After'] : []),
    content: { 'application/json': { schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas } } },
  };
};

const headersOf = (names: readonly HeaderName[]): Record<string, object> =>
  Object.fromEntries(
    (['X-Request-Id', ...names] as const).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );

const headerObjects = (): Record<string, object> =>
  Object.fromEntries(
    Object.entries(HEADERS).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );

const refTo = ({ name }: Named): object => ({ $ref: PREFIX + name });

const schemasOf = (operations: readonly Operation[]): Record<string, object> => ({
  ...jsonSchemas(operations.flatMap(({ body }) => body ?? [])),
  ...jsonSchemas(
    operations.flatMap(({ answer, errors, otherErrors, otherAnswers = {} }) => [
      ...(answer === undefined ? [] : [answer]),
      errors.body,
      ...(otherErrors === undefined ? [] : [otherErrors.body]),
      ...Object.values(otherAnswers).filter((each) => typeof each !== 'string'),
    ]),
  ),
});

/** As they are sent: what has a default may be left out, and keys that we do not know are no error but where they are. */
const jsonSchemas = (all: readonly Named[]): Record<string, object> => {
  const unique = new Map(all.map(({ name, schema }) => [name, schema]));
  return Object.fromEntries(
    [...unique].map(([name, schema]) => {
      const json: object = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
      return [name, Object.fromEntries(Object.entries(json).filter(([key]) => key !== '$schema'))];
    }),
  );
};
