import type { RequestRecord } from '../access-log.js';

type Attributes = Readonly<Record<string, string | number | undefined>>;

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
export const attributesOf = (request: RequestRecord, tokens: number | undefined): Attributes => {
  const { protocol, status, code, model, rows, batchRows, encodeMs, queueMs, runMs, requestId } = request;
  return {
    ...(protocol === 'grpc' ? rpcAttributes(request) : httpAttributes(request)),
    'error.type': status >= 500 ? code : undefined,
    'carpool.protocol': protocol === 'grpc' ? 'grpc' : 'http',
    'carpool.request_id': requestId,
    'carpool.code': code,
    'carpool.model': model,
    'carpool.rows': rows,
    'carpool.tokens': tokens,
    'carpool.batch_rows': batchRows,
    'carpool.encode_ms': encodeMs,
    'carpool.queue_ms': queueMs,
    'carpool.run_ms': runMs,
  };
};

const httpAttributes = ({ protocol, method, route, path, status }: RequestRecord): Attributes => ({
  'http.request.method': method,
  'http.route': NO_ROUTE.includes(route) ? undefined : route,
  'http.response.status_code': status,
  'url.path': path.slice(0, MAX_PATH_CHARS),
  'url.scheme': protocol,
});

const rpcAttributes = ({ route, status, grpcStatus }: RequestRecord): Attributes => {
  const [, service, method] = route.split('/');
  return {
    'rpc.system': 'grpc',
    'rpc.service': service,
    'rpc.method': method,
    'rpc.grpc.status_code': grpcStatus ?? (status === STATUS_CLIENT_GONE ? GRPC_CANCELLED : GRPC_OK),
  };
};
