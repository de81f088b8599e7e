import { bytesOfBase64 } from '../../images/base64.js';
import { CarpoolError } from '../../errors.js';
import type { ImagesInput, InferOptions } from '../../infer.js';
import { describe, isList } from '../json/describe.js';
import type { InferAnswer } from './answer.js';
import { type Body, field, objectBody, optionalCount, optionalFlag, refuse } from './fields.js';
import { inferOptions } from './options.js';
import type { ParseView } from './parse-inputs.js';
import { describeInputs } from './parse-inputs.js';

/** Keys that a body with images may have. */
const IMAGE_KEYS = ['images', 'top_k', 'scores', 'outputs', 'timeoutMs', 'priority'] as const;

export interface ImageParts {
  readonly input: ImagesInput;
  readonly options: InferOptions;
  readonly answer: Omit<InferAnswer, 'kind'>;
}

/**
 * `{"images": ["<base64>", …], "top_k"?, "scores"?, …}`; a data URL will do, too.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `view.maxRows`)
 */
export const imageParts = (body: Body, view: ParseView): ImageParts => {
  if (view.takesImages !== true)
    throw refuse(
      'images',
      `${view.name} takes no images; expected "inputs" with ${describeInputs(view.signature)}`,
    );
  objectBody(body, IMAGE_KEYS);
  const images = field(body, 'images');
  if (!isList(images) || images.length === 0) {
    const hint = typeof images === 'string' ? '; a single image is a list of one' : '';
    throw refuse('images', `expected a list of images in base64, got ${describe(images)}${hint}`);
  }
  if (images.length > view.maxRows)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `images: expected at most ${view.maxRows} in a request, got ${images.length}`,
    );
  const files = images.map((image, index) => {
    if (typeof image === 'string') return bytesOfBase64(image, `images[${index}]`);
    throw refuse(`images[${index}]`, `expected base64, got ${describe(image)}`);
  });
  return {
    input: { kind: 'images', images: files, where: 'images' },
    options: inferOptions(body),
    answer: imageAnswer(body),
  };
};

/** The same keys, of the query of a request whose body is an image. @throws CarpoolError INVALID_REQUEST */
export const imageQuery = (query: URLSearchParams): Pick<ImageParts, 'options' | 'answer'> => {
  const entries = [...query].map(([key, text]): [string, unknown] => [key, valueOf(text)]);
  const body = objectBody(Object.fromEntries(entries), ['top_k', 'scores', 'timeoutMs', 'priority'], 'query');
  return { options: inferOptions(body), answer: imageAnswer(body) };
};

const valueOf = (text: string): unknown => {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
};

const imageAnswer = (body: Body): ImageParts['answer'] => {
  const topK = optionalCount(body, 'top_k');
  const scores = optionalFlag(body, 'scores');
  return {
    images: true,
    ...(topK === undefined ? {} : { topK }),
    ...(scores === undefined ? {} : { scores }),
  };
};
