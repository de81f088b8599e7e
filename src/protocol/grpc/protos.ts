import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

/** The .proto files lie beside the sources, in the package too: seen from dist/src/protocol/grpc. */
const FOLDER = fileURLToPath(new URL('../../../../src/protocol/grpc/', import.meta.url));

export interface Services {
  readonly inference: ServiceDefinition;
  readonly health: ServiceDefinition;
  /** All of it, for those who ask what there is. */
  readonly definition: PackageDefinition;
}

/** @throws Error when a file is missing or broken */
export const loadServices = (): Services => {
  const definition = loadSync(['inference.proto', 'health.proto'], {
    includeDirs: [FOLDER],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const root = loadPackageDefinition(definition);
  return {
    inference: serviceAt(root, ['inference', 'GRPCInferenceService']),
    health: serviceAt(root, ['grpc', 'health', 'v1', 'Health']),
    definition,
  };
};

type Loaded = ReturnType<typeof loadPackageDefinition>[string];

const serviceAt = (
  root: ReturnType<typeof loadPackageDefinition>,
  path: readonly string[],
): ServiceDefinition => {
  let at: Loaded | undefined = undefined;
  let level = root;
  for (const name of path) {
    at = level[name];
    if (at !== undefined && typeof at === 'object' && !('format' in at)) level = at;
  }
  if (typeof at !== 'function') throw new Error(`no service ${path.join('.')} in the .proto files`);
  return at.service;
};
