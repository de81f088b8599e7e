import type { Need } from '../../access/need.js';

const INFERENCE: Readonly<Record<string, Need>> = {
  ServerLive: 'public',
  ServerReady: 'public',
  ServerMetadata: 'read',
  ModelReady: 'read',
  ModelMetadata: 'read',
  ModelConfig: 'read',
  ModelStatistics: 'read',
  ModelInfer: 'infer',
  ModelStreamInfer: 'infer',
  RepositoryIndex: 'read',
  RepositoryModelLoad: 'manage',
  RepositoryModelUnload: 'manage',
};

/** Service -> what each of its methods needs, or all of them. */
const NEEDS: Readonly<Record<string, Need | Readonly<Record<string, Need>>>> = {
  'inference.GRPCInferenceService': INFERENCE,
  'grpc.health.v1.Health': 'public',
  'grpc.reflection.v1.ServerReflection': 'read',
  'grpc.reflection.v1alpha.ServerReflection': 'read',
};

/**
 * @param path `/inference.GRPCInferenceService/ModelInfer`
 * @returns `locked` for what has no entry: a method that was forgotten is open to nobody but those who may do everything
 */
export const needOfMethod = (path: string): Need => {
  const [, service = '', method = ''] = path.split('/');
  const needs = Object.hasOwn(NEEDS, service) ? NEEDS[service] : undefined;
  if (typeof needs !== 'object') return needs ?? 'locked';
  return (Object.hasOwn(needs, method) ? needs[method] : undefined) ?? 'locked';
};
