import { MAX_MODEL_CHARS, type RequestRecord } from '../access-log.js';
import type { WriteAttribute } from './span.js';

const MAX_PATH_CHARS = 256;
/** Routes of no pattern; see http/router and http/server. */
const NO_ROUTE: readonly string[] = ['unmatched', 'malformed'];
const GRPC_OK = 0;
const GRPC_CANCELLED = 1;
const STATUS_CLIENT_GONE = 499;

/** OpenTelemetry's conventions: `POST /v1/models/:m/infer`, `inference.GRPCInferenceService/ModelInfer`. */
export const nameOf = ({ protocol, method, route }: RequestRecord): string => {
  if (protocol === 'grpc') return route.slice(1);
  return NO_ROUTE.includes(route) ? method : `${method} ${route}`;
};

/** By OpenTelemetry's semantic conventions for HTTP and RPC servers, and what only we know under `carpool.`. */
export const writeAttributes = (
  request: RequestRecord,
  tokens: number | undefined,
  write: WriteAttribute,
): void => {
  const { protocol, status, code } = request;
  if (protocol === 'grpc') writeRpc(request, write);
  else writeHttp(request, write);
  write('error.type', status >= 500 ? code : undefined);
  write('carpool.protocol', protocol === 'grpc' ? 'grpc' : 'http');
  write('carpool.request_id', request.requestId);
  write('carpool.code', code);
  write('carpool.model', request.model?.slice(0, MAX_MODEL_CHARS));
  write('carpool.rows', request.rows);
  write('carpool.tokens', tokens);
  write('carpool.batch_rows', request.batchRows);
  write('carpool.encode_ms', request.encodeMs);
  write('carpool.queue_ms', request.queueMs);
  write('carpool.run_ms', request.runMs);
};

const writeHttp = ({ protocol, method, route, path, status }: RequestRecord, write: WriteAttribute): void => {
  write('http.request.method', method);
  write('http.route', NO_ROUTE.includes(route) ? undefined : route);
  write('http.response.status_code', status);
  write('url.path', path.slice(0, MAX_PATH_CHARS));
  write('url.scheme', protocol);
};

const writeRpc = ({ route, status, grpcStatus }: RequestRecord, write: WriteAttribute): void => {
  const [, service, method] = route.split('/');
  write('rpc.system', 'grpc');
  write('rpc.service', service);
  write('rpc.method', method);
  write('rpc.grpc.status_code', grpcStatus ?? (status === STATUS_CLIENT_GONE ? GRPC_CANCELLED : GRPC_OK));
};
