import { z } from 'zod';
import type { Json } from './json.js';

/** What a request may be aimed at: one method of one path of /openapi.json. */
export interface Target {
  readonly method: string;
  /** `/v1/models/{model}/infer` */
  readonly template: string;
  /** It changes which models are served. */
  readonly isAdmin: boolean;
  /** Values of a path's parts that the document shows. */
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly query: readonly string[];
  readonly headers: readonly string[];
  readonly mediaTypes: readonly string[];
  /** Valid bodies. */
  readonly bodies: readonly Json[];
  /** Every status that the document knows for it. */
  readonly statuses: ReadonlySet<number>;
}

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        tags: z.array(z.string()),
        parameters: z
          .array(
            z.object({
              name: z.string(),
              in: z.enum(['path', 'query', 'header']),
              schema: z.object({ examples: z.array(z.string()).optional() }),
            }),
          )
          .default([]),
        requestBody: z
          .object({
            content: z.record(
              z.string(),
              z.object({ examples: z.record(z.string(), z.object({ value: z.json() })).default({}) }),
            ),
          })
          .optional(),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
});

/** @param document what /openapi.json answers. @throws ZodError where it is not of that form */
export const targetsOf = (document: unknown): readonly Target[] =>
  Object.entries(documentSchema.parse(document).paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([method, { tags, parameters, requestBody, responses }]) => {
      const named = (place: string): string[] =>
        parameters.filter((each) => each.in === place).map(({ name }) => name);
      const content = requestBody?.content ?? {};
      return {
        method: method.toUpperCase(),
        template,
        isAdmin: tags.includes('Admin') && method !== 'get',
        params: Object.fromEntries(
          parameters
            .filter((each) => each.in === 'path')
            .map(({ name, schema }) => [name, schema.examples ?? []]),
        ),
        query: named('query'),
        headers: named('header'),
        mediaTypes: Object.keys(content),
        bodies: Object.values(content).flatMap(({ examples }) =>
          Object.values(examples).map(({ value }) => value),
        ),
        statuses: new Set(Object.keys(responses).map(Number)),
      };
    }),
  );
