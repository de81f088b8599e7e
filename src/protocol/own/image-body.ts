import type { IncomingMessage } from 'node:http';
import type { ModelInfo } from '../../models/model-info.js';
import type { Parsed } from '../parse.js';
import { imageQuery } from './parse-images.js';

/** Whether the body is an image by itself: what kind of one, its bytes say. */
export const isImageBody = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  /^(?:image\/|application\/octet-stream)/i.test(headers['content-type'] ?? '');

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
