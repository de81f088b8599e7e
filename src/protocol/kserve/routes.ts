import { sendJson } from '../../http/reply.js';
import { pathParam, type Handler, type HttpRequest, type Route } from '../../http/router.js';
import type { ServedModel } from '../../models/served-model.js';
import { jsonBodyReader, type ProtocolDeps } from '../common/deps.js';
import { messageError } from '../common/message-error.js';
import { hfRequest } from '../huggingface/fit.js';
import { modelOfVersion } from '../oip/routes.js';

/** KServe's first protocol, which is TensorFlow Serving's REST: docs/protocols.md. */
export const kserveRoutes = ({ registry, codec, responder, limits }: ProtocolDeps): readonly Route[] => {
  const body = jsonBodyReader(limits);
  const modelOf = (req: HttpRequest, caller?: string): ServedModel =>
    modelOfVersion(
      registry,
      pathParam(req, 'm'),
      Object.hasOwn(req.params, 'v') ? pathParam(req, 'v') : '',
      caller,
    );

  const predict: Handler = async (req, res, exchange) => {
    modelOf(req, exchange.caller);
    const bytes = await body(req);
    // A body may take long: by now another version may have the name.
    const model = modelOf(req, exchange.caller);
    const { name, signature, batch, card, takesTexts } = model.info;
    const { features } = card;
    const view = { name, signature, batch, takesTexts, maxRows: limits.maxRequestRows };
    const parsed = await model.during(() =>
      codec.parse(
        { route: 'kserve', bytes, view: features === undefined ? view : { ...view, features } },
        exchange.signal,
      ),
    );
    await responder.answer(model, hfRequest(model.info, parsed), res, exchange);
  };

  const status: Handler = (req, res) => {
    const { card } = modelOf(req).info;
    const state = {
      version: card.version,
      state: 'AVAILABLE',
      status: { error_code: 'OK', error_message: '' },
    };
    sendJson(res, 200, { model_version_status: [state] });
  };

  return [
    { path: '/v1/models/:m\\:predict', post: predict, error: messageError },
    { path: '/v1/models/:m/versions/:v\\:predict', post: predict, error: messageError },
    { path: '/v1/models/:m/versions/:v', get: status, error: messageError },
  ];
};
