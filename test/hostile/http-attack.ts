import type { SeededRandom } from '../chaos/seeded-random.js';
import type { Attack } from './attack.js';
import { head } from './attack.js';
import { coded, trickedBody } from './body-tricks.js';
import { binaryBody } from './binary-body.js';
import {
  HEADERS,
  IMAGE_TYPES,
  MEDIA_TYPES,
  METHODS,
  QUERIES,
  QUERY_VALUES,
  SEGMENTS,
} from './http-tricks.js';
import { mutated, printed, type Json } from './json.js';
import type { Target } from './targets.js';

export interface HttpAttackDeps {
  readonly targets: readonly Target[];
  readonly bodyLimitBytes: number;
  /** Of every format. */
  readonly pictures: readonly Buffer[];
  /** Models that good callers use too: admin requests are turned away from these. */
  readonly models: readonly string[];
}

const hostileQuery = ({ query }: Target, random: SeededRandom): string =>
  query.length === 0 || random.next() < 0.3
    ? random.pick(QUERIES)
    : `?${random.pick(query)}=${random.pick(QUERY_VALUES)}`;

const fill = (template: string, valueOf: (name: string) => string): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => valueOf(name));

/** A request whose framing is right: it must be answered, and the connection stays good for the next. */
export const httpAttack = (deps: HttpAttackDeps, random: SeededRandom): Attack => {
  const target = pickTarget(deps.targets, random);
  // Bodies and models are mixed: a right body for another model is wrong in its own way.
  const shown = target.params['model'] ?? [];
  const model = random.pick(random.next() < 0.4 || shown.length === 0 ? deps.models : shown);
  const { path, isAsShown } = pathOf(target, model, deps, random);
  const isOtherMethod = random.next() < 0.05;
  const method = isOtherMethod ? random.pick(METHODS) : target.method;
  const headers: Header[] = [['host', 'localhost']];
  for (let left = random.pick([0, 0, 0, 1, 1, 2, 3]); left > 0; left--) {
    const [name, values] = random.pick(HEADERS);
    headers.push([name, random.pick(values)]);
  }
  const hasBody = target.bodies.length > 0 || random.next() < 0.05;
  const { body, headers: about } = hasBody ? bodyOf(target, model, deps, random) : NO_BODY;
  return {
    kind: `${target.method} ${target.template}`,
    bytes: Buffer.concat([
      head(method, isOtherMethod ? away(path, ['(?<=models/)\\w+']) : path, [...headers, ...about]),
      body,
    ]),
    method,
    ...(isAsShown && !isOtherMethod ? { statuses: target.statuses } : {}),
  };
};

type Header = readonly [string, string];

interface Body {
  readonly body: Buffer;
  readonly headers: readonly Header[];
}

const NO_BODY: Body = { body: Buffer.alloc(0), headers: [] };

const pathOf = (
  target: Target,
  model: string,
  { models }: HttpAttackDeps,
  random: SeededRandom,
): { readonly path: string; readonly isAsShown: boolean } => {
  const shown = (name: string): string => {
    const values = target.params[name] ?? [];
    return encodeURIComponent(
      name === 'model' ? model : random.pick(values.length === 0 ? ['1', 'x'] : values),
    );
  };
  const isAsShown = random.next() < 0.88;
  let path = fill(target.template, (name) =>
    isAsShown || random.next() < 0.3 ? shown(name) : random.pick(SEGMENTS),
  );
  if (!isAsShown) path = random.pick([path, path, `/${path}`, `${path}/`, path.toUpperCase(), `/.${path}`]);
  if (target.isAdmin) path = away(path, models);
  return { path: random.next() < 0.15 ? path + hostileQuery(target, random) : path, isAsShown };
};

const bodyOf = (target: Target, model: string, deps: HttpAttackDeps, random: SeededRandom): Body => {
  const { bytes, headers } = plainBody(target, model, deps, random);
  const isPacked = random.next() < 0.08;
  const tricked = random.next() < 0.2 ? trickedBody(bytes, random) : bytes;
  const { coding, body: packed } = isPacked
    ? coded(tricked, random, deps.bodyLimitBytes)
    : { coding: undefined, body: tricked };
  const isLarge = random.next() < 0.01;
  const body = isLarge ? Buffer.alloc(deps.bodyLimitBytes + random.between(-1, 1), '[') : packed;
  return {
    body,
    headers: [
      ...(random.next() < 0.1 ? [['content-type', random.pick(MEDIA_TYPES)] as const] : headers),
      ...(coding === undefined ? [] : [['content-encoding', coding] as const]),
      ['content-length', String(body.length)],
    ],
  };
};

const plainBody = (
  target: Target,
  model: string,
  { models, pictures }: HttpAttackDeps,
  random: SeededRandom,
): { readonly bytes: Buffer; readonly headers: readonly Header[] } => {
  const { mediaTypes } = target;
  if (mediaTypes.includes('application/octet-stream') && random.next() < 0.5) {
    const { body, headers } = binaryBody(model, random);
    return { bytes: body, headers };
  }
  if (mediaTypes.includes('image/*') && random.next() < 0.3) {
    const picture = random.pick(pictures);
    const bytes = random.next() < 0.7 ? trickedBody(picture, random) : picture;
    return { bytes, headers: [['content-type', random.pick(IMAGE_TYPES)]] };
  }
  const json = jsonBody(target, random);
  const headers: Header[] = random.next() < 0.98 ? [['content-type', 'application/json']] : [];
  return { bytes: Buffer.from(target.isAdmin ? away(json, models) : json), headers };
};

const jsonBody = ({ bodies }: Target, random: SeededRandom): string => {
  const valid: Json = bodies.length === 0 ? {} : random.pick(bodies);
  return printed(random.next() < 0.9 ? mutated(valid, random) : valid);
};

/** Those with bodies have most to get wrong; admin calls cost a load each. */
const pickTarget = (targets: readonly Target[], random: SeededRandom): Target => {
  for (;;) {
    const target = random.pick(targets);
    const chance = target.isAdmin ? 0.15 : target.bodies.length > 0 ? 1 : 0.25;
    if (random.next() < chance) return target;
  }
};

/** Admin calls must not touch what good callers use. */
const away = (text: string, keep: readonly string[]): string =>
  keep.reduce((left, name) => left.replaceAll(new RegExp(`\\b(?:${name})\\b`, 'gi'), 'guest'), text);
