import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { CarpoolError } from '../../errors.js';
import type { HealthView } from '../../http/health-routes.js';
import { unary, type AnswerDeps } from './answer.js';
import { GrpcExchange } from './exchange.js';
import type { HealthCheckRequest, HealthCheckResponse, ServingStatus } from './messages.js';

export interface HealthDeps extends AnswerDeps {
  readonly health: HealthView;
}

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** The whole server, and the only service that there is. */
const SERVICES: readonly string[] = ['', 'inference.GRPCInferenceService'];
/** Health is asked so often while somebody watches. */
const LOOK_MS = 1000;

/** `grpc.health.v1.Health`: serving while the gateway is ready. */
export class HealthService {
  readonly #deps: HealthDeps;
  readonly #lookMs: number;
  /** With what each has been told last. */
  readonly #watches = new Map<Watch, ServingStatus>();
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(deps: HealthDeps, lookMs = LOOK_MS) {
    this.#deps = deps;
    this.#lookMs = lookMs;
  }

  get handlers(): UntypedServiceImplementation {
    return {
      Check: unary(({ service }: HealthCheckRequest) => {
        const status = this.#statusOf(service);
        if (status !== 'SERVICE_UNKNOWN') return { status };
        throw new CarpoolError(
          'NOT_FOUND',
          `no service '${service.slice(0, 128)}'; there is ${SERVICES[1] ?? ''}`,
        );
      }, this.#deps),
      Watch: (call: Watch) => this.#watch(call),
    };
  }

  /** Tells those who watch that it is over, and ends their calls. */
  close(): void {
    this.#isClosing = true;
    this.#look();
    for (const call of this.#watches.keys()) call.end();
    this.#watches.clear();
    clearInterval(this.#timer);
  }

  #statusOf(service: string): ServingStatus {
    if (!SERVICES.includes(service)) return 'SERVICE_UNKNOWN';
    return !this.#isClosing && this.#deps.health.ready().ok ? 'SERVING' : 'NOT_SERVING';
  }

  #watch(call: Watch): void {
    // Counted as answered with its first message: it may stay open for days.
    const exchange = new GrpcExchange(call, this.#deps);
    const status = this.#statusOf(call.request.service);
    call.write({ status });
    exchange.finish();
    if (this.#isClosing) {
      call.end();
      return;
    }
    this.#watches.set(call, status);
    const forget = (): void => {
      this.#watches.delete(call);
      if (this.#watches.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
    call.once('cancelled', forget).once('error', forget);
    this.#timer ??= setInterval(() => this.#look(), this.#lookMs).unref();
  }

  #look(): void {
    for (const [call, told] of this.#watches) {
      const status = this.#statusOf(call.request.service);
      if (status === told) continue;
      this.#watches.set(call, status);
      call.write({ status });
    }
  }
}
