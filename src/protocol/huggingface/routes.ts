import { CarpoolError } from '../../errors.js';
import { readBody } from '../../http/body.js';
import { pathParam, type Handler, type HttpRequest, type Route } from '../../http/router.js';
import { jsonBodyReader, type ProtocolDeps } from '../common/deps.js';
import { messageError } from '../common/message-error.js';
import { isImageBody, isImageType } from '../own/image-body.js';
import { hfAnswerOf, hfImage, hfImageModel, hfModel, hfRequest, taskOfPipeline } from './fit.js';

/** The Hugging Face Inference API: its clients post to the URL that they are given. */
export const hfRoutes = ({ registry, codec, responder, limits }: ProtocolDeps): readonly Route[] => {
  const body = jsonBodyReader(limits);
  const imageBody = (req: HttpRequest): Promise<Uint8Array> =>
    readBody(req, { limitBytes: limits.bodyLimitBytes, timeoutMs: limits.bodyTimeoutMs });
  const post =
    (has: { readonly model: boolean; readonly pipeline: boolean }): Handler =>
    async (req, res, exchange) => {
      const task = has.pipeline ? taskOfPipeline(pathParam(req, 'task')) : undefined;
      const name = has.model ? pathParam(req, 'm') : undefined;
      const bytes = await (isImageType(req) ? imageBody(req) : body(req));
      const isImage = isImageBody(req, bytes);
      const parsed = isImage
        ? hfImage(bytes)
        : await codec.parse({ route: 'hf', bytes, maxRows: limits.maxRequestRows }, exchange.signal);
      const models = registry.seenBy(exchange.caller);
      const model = isImage ? hfImageModel(models, name) : hfModel(models, name, hfAnswerOf(parsed));
      const { info } = model;
      if (task !== undefined && info.card.task !== task)
        throw new CarpoolError(
          'INVALID_REQUEST',
          `model '${info.name}' is for ${info.card.task}, not for ${task}`,
        );
      await responder.answer(model, hfRequest(info, parsed), res, exchange);
    };
  const ofModel = post({ model: true, pipeline: false });
  const ofPipeline = post({ model: true, pipeline: true });
  return [
    // Other methods of it may be the host's, where the gateway is mounted.
    { path: '/', post: post({ model: false, pipeline: false }), error: messageError, isShared: true },
    { path: '/models/:m', post: ofModel, error: messageError },
    { path: '/models/:m/pipeline/:task', post: ofPipeline, error: messageError },
    { path: '/pipeline/:task/:m', post: ofPipeline, error: messageError },
  ];
};
