import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadFor, unloadFor } from '../../access/admin-calls.js';
import { modelsFor } from '../../access/allowed-models.js';
import type { HealthView } from '../../http/health-routes.js';
import type { Registry } from '../../models/registry.js';
import type { ServedModel } from '../../models/served-model.js';
import { VERSION } from '../../version.js';
import { codeOf } from '../../errors.js';
import { EXTENSIONS, modelConfig, modelMetadata } from '../oip/metadata.js';
import { repositoryIndex } from '../oip/repository.js';
import { requireModelName, requireNoOverrides } from '../oip/repository-routes.js';
import { modelOfVersion, versionsOf } from '../oip/routes.js';
import { statisticsOf } from '../oip/statistics.js';
import { unary, type AnswerDeps } from './answer.js';
import type { GrpcExchange } from './exchange.js';
import type { Infer } from './infer.js';
import type {
  ModelInferRequest,
  NamedModel,
  RepositoryIndexRequest,
  RepositoryModelRequest,
} from './messages.js';
import type { InferStreams } from './stream.js';

export interface ServiceDeps extends AnswerDeps {
  readonly registry: Registry;
  readonly health: HealthView;
  /** Absolute folder of the models. */
  readonly modelRoot: string;
  readonly infer: Infer;
  readonly streams: InferStreams;
}

const NOT_THERE: readonly string[] = ['MODEL_NOT_FOUND', 'MODEL_UNAVAILABLE'];

/** `inference.GRPCInferenceService`: the same answers as the REST paths of the same names. */
export const inferenceService = (deps: ServiceDeps): UntypedServiceImplementation => {
  const { registry, health, modelRoot, infer, streams, admit } = deps;
  const modelOf = ({ name, version }: NamedModel, exchange: GrpcExchange): ServedModel =>
    modelOfVersion(modelsFor(registry, exchange, 'read'), name, version);
  const isReady = (model: NamedModel, exchange: GrpcExchange): boolean => {
    try {
      return health.model(modelOf(model, exchange).info.name).ok;
    } catch (error) {
      // Triton's answer for one that nobody knows, too: clients ask again and again until it is there.
      if (NOT_THERE.includes(codeOf(error))) return false;
      throw error;
    }
  };
  return {
    ServerLive: unary(() => ({ live: health.live().ok }), deps),
    ServerReady: unary(() => ({ ready: health.ready().ok }), deps),
    ModelReady: unary((model: NamedModel, exchange) => ({ ready: isReady(model, exchange) }), deps),
    ServerMetadata: unary(() => ({ name: 'carpool', version: VERSION, extensions: EXTENSIONS }), deps),
    ModelMetadata: unary((model: NamedModel, exchange) => {
      const { info } = modelOf(model, exchange);
      return modelMetadata(info, versionsOf(registry, info.name));
    }, deps),
    ModelInfer: unary((message: ModelInferRequest, exchange) => infer(message, exchange), deps),
    ModelStreamInfer: streams.handle,
    ModelConfig: unary(
      (model: NamedModel, exchange) => ({ config: modelConfig(modelOf(model, exchange).info) }),
      deps,
    ),
    ModelStatistics: unary((model: NamedModel, exchange) => {
      const all = (): readonly ServedModel[] =>
        registry.allVersions.filter(({ info }) => exchange.principal.may('read', info.name));
      const ofName = (): readonly ServedModel[] => {
        const one = modelOf(model, exchange);
        return model.version === '' ? registry.group(model.name).models : [one];
      };
      const models = model.name === '' ? all() : ofName();
      return { model_stats: models.map(statisticsOf) };
    }, deps),
    RepositoryIndex: unary(
      async ({ ready }: RepositoryIndexRequest, { principal }) => ({
        models: await repositoryIndex(registry, modelRoot, ready, principal),
      }),
      deps,
    ),
    RepositoryModelLoad: unary(async ({ model_name: name, parameters }: RepositoryModelRequest, exchange) => {
      exchange.model = name;
      await admit?.(exchange);
      requireNoOverrides(parameters);
      requireModelName(name);
      await loadFor(registry, exchange, name, undefined);
      return {};
    }, deps),
    RepositoryModelUnload: unary(async ({ model_name: name }: RepositoryModelRequest, exchange) => {
      exchange.model = name;
      await admit?.(exchange);
      await unloadFor(registry, exchange, name);
      return {};
    }, deps),
  };
};
