import type { IncomingMessage } from 'node:http';
import { isImage } from '../../images/format.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Parsed } from '../parse.js';
import { imageQuery } from './parse-images.js';

/** Whether the header says that the body is no JSON but an image: what kind of one, its bytes say. */
export const isImageType = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  /^(?:image\/|application\/octet-stream)/i.test(headers['content-type'] ?? '');

/** By its header or, since some clients send none, by its first bytes. */
export const isImageBody = (req: Pick<IncomingMessage, 'headers'>, bytes: Uint8Array): boolean =>
  isImageType(req) || isImage(bytes);

/**
 * The request of a body that is an image; its options stand in the query: `?top_k=3`.
 * @throws CarpoolError INVALID_REQUEST for an option that makes no sense
 */
export const imageRequest = (info: ModelInfo, bytes: Uint8Array, url = ''): Parsed => {
  const { options, answer } = imageQuery(new URL(url, 'http://any').searchParams);
  return {
    request: { model: info.name, input: { kind: 'images', images: [bytes] }, options },
    answer: { kind: 'infer', ...answer },
  };
};
