import { CarpoolError } from '../../errors.js';
import { pathParam, type Handler, type Route } from '../../http/router.js';
import { jsonBodyReader, type ProtocolDeps } from '../common/deps.js';
import { messageError } from '../common/message-error.js';
import { hfAnswerOf, hfModel, hfRequest, taskOfPipeline } from './fit.js';

/** The Hugging Face Inference API: its clients post to the URL that they are given. */
export const hfRoutes = ({ registry, codec, responder, limits }: ProtocolDeps): readonly Route[] => {
  const body = jsonBodyReader(limits);
  const post =
    (has: { readonly model: boolean; readonly pipeline: boolean }): Handler =>
    async (req, res, exchange) => {
      const task = has.pipeline ? taskOfPipeline(pathParam(req, 'task')) : undefined;
      const bytes = await body(req);
      const parsed = await codec.parse(
        { route: 'hf', bytes, maxRows: limits.maxRequestRows },
        exchange.signal,
      );
      const name = has.model ? pathParam(req, 'm') : undefined;
      const model = hfModel(registry, name, hfAnswerOf(parsed));
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
