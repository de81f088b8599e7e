import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadFor, unloadFor } from '../../access/admin-calls.js';
import { modelsFor } from '../../access/allowed-models.js';
import type { HealthView } from '../../http/health-routes.js';
import type { Registry } from '../../models/registry.js';
import type { ServedModel } from '../../models/served-model.js';
import { VERSION } from '../../version.js';
import { CarpoolError, codeOf } from '../../errors.js';
import { EXTENSIONS, modelConfig, modelMetadata } from '../oip/metadata.js';
import { repositoryIndex } from '../oip/repository.js';
import { requireModelName, requireNoOverrides } from '../oip/repository-routes.js';
import { modelOfVersion } from '../oip/routes.js';
import { statisticsOf } from '../oip/statistics.js';
import { unary, type AnswerDeps } from './answer.js';
import type { GrpcExchange } from './exchange.js';
import type { Infer } from './infer.js';
import type {
  HealthCheckRequest,
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
  const { registry, health, modelRoot, infer, streams } = deps;
  const modelOf = ({ name, version }: NamedModel, exchange: GrpcExchange): ServedModel =>
    modelOfVersion(modelsFor(registry, exchange, 'read'), name, version);
  const isReady = (model: NamedModel, exchange: GrpcExchange): boolean => {
    try {
      modelOf(model, exchange);
      return health.ready().ok;
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
    ModelMetadata: unary((model: NamedModel, exchange) => modelMetadata(modelOf(model, exchange).info), deps),
    ModelInfer: unary((message: ModelInferRequest, exchange) => infer(message, exchange), deps),
    ModelStreamInfer: streams.handle,
    ModelConfig: unary(
      (model: NamedModel, exchange) => ({ config: modelConfig(modelOf(model, exchange).info) }),
      deps,
    ),
    ModelStatistics: unary((model: NamedModel, exchange) => {
      const all = (): readonly ServedModel[] => modelsFor(registry, exchange, 'read').all;
      const models = model.name === '' ? all() : [modelOf(model, exchange)];
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
      requireNoOverrides(parameters);
      requireModelName(name);
      await loadFor(registry, exchange, name, undefined);
      return {};
    }, deps),
    RepositoryModelUnload: unary(async ({ model_name: name }: RepositoryModelRequest, exchange) => {
      exchange.model = name;
      await unloadFor(registry, exchange, name);
      return {};
    }, deps),
  };
};

const SERVICES: readonly string[] = ['', 'inference.GRPCInferenceService'];

/** `grpc.health.v1.Health`, `Check` only: serving while the gateway is ready. */
export const healthService = (deps: ServiceDeps): UntypedServiceImplementation => ({
  Check: unary(({ service }: HealthCheckRequest) => {
    if (!SERVICES.includes(service))
      throw new CarpoolError(
        'NOT_FOUND',
        `no service '${service.slice(0, 128)}'; there is ${SERVICES[1] ?? ''}`,
      );
    return { status: deps.health.ready().ok ? 'SERVING' : 'NOT_SERVING' };
  }, deps),
});
