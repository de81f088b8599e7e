import { CarpoolError } from '../../errors.js';
import { objectBody, refuse, requiredText } from './fields.js';
import { quoted } from '../json/describe.js';

export interface LoadRequest {
  readonly name: string;
  /** As given; where it may point is the repository's to check. */
  readonly path: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * May a model be called so? Letters, digits and `. _ -`, at most 128, a letter or digit first: it is a path segment, a
 * URL segment and a metric's label. Names of every object's own members (`constructor`) are refused as well.
 */
export const isModelName = (name: string): boolean =>
  NAME.test(name) && !Object.hasOwn(Object.prototype, name);

/** Body of `POST /v1/models`: `{"name", "path"}`, no other keys. @throws CarpoolError INVALID_REQUEST */
export const parseLoad = (body: unknown): LoadRequest => {
  const object = objectBody(body, ['name', 'path']);
  const name = requiredText(object, 'name');
  const path = requiredText(object, 'path');
  if (!isModelName(name))
    throw refuse(
      'name',
      `expected 1 to 128 letters, digits, "." "_" "-", a letter or digit first, got ${quoted(name)}`,
    );
  if (path.includes('\0')) throw new CarpoolError('INVALID_REQUEST', `path: got a NUL in ${quoted(path)}`);
  return { name, path };
};
