import { z } from 'zod';
import { accessSchema } from './access.js';
import { batchingOverrides, batchingSchema } from './batching.js';
import { limitsSchema } from './limits.js';
import { corsSchema, tlsSchema, trustProxySchema } from './wall.js';
import { cacheOverrides, cacheSchema } from './cache.js';
import { versionsSchema } from './versions.js';

/** A day. Node's timers fire at once when they are given more than 2^31 - 1 ms, so every duration is bounded. */
const LONGEST_MS = 86_400_000;

const durationMs = z.number().min(1).max(LONGEST_MS);
const durationOrZeroMs = z.number().min(0).max(LONGEST_MS);
const autoOrCount = z.union([z.literal('auto'), z.int().min(1).max(256)]);

/** One folder below `models.root`, never a path. */
const modelName = z
  .string()
  .regex(/^(?!\.{1,2}$)[^/\\\0]+$/)
  .meta({ description: 'the name of a model folder (no slashes)' });

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

/** `a.example`, `[::1]`, `*`; no port, no scheme. */
const isHostName = (text: string): boolean =>
  text === '*' ||
  (URL.canParse(`http://${text}`) && new URL(`http://${text}`).hostname === text.toLowerCase());

export const serverSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  /** Without `access`: may it listen on an address that other machines reach? */
  allowUnauthenticated: z.boolean().default(false),
  /** 0 = any free port; the one taken is printed. */
  port: z.int().min(0).max(65_535).default(8080),
  /** Larger request bodies get 413. */
  bodyLimitBytes: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(16 * 1024 * 1024),
  /** Texts or rows of one request; more get 413. */
  maxRequestRows: z.int().min(1).default(10_000),
  /** Width times height of one image; larger ones get 413. */
  maxImagePixels: z.int().min(1).max(268_402_689).default(50_000_000),
  /** Inputs of all models that wait or run, together; more get 429. */
  maxQueueBytes: z
    .int()
    .min(1)
    .default(512 * 1024 * 1024),
  /** Time for a connection to send its request headers. */
  headersTimeoutMs: durationMs.default(10_000),
  /** Time for a request to send its body; then it gets 408. */
  bodyTimeoutMs: durationMs.default(30_000),
  /** Idle time after which a keep-alive connection is closed. */
  keepAliveTimeoutMs: durationMs.default(75_000),
  /** Time for a client to read an answer; of a stream, to read what was written. Then it is cut off. */
  sendTimeoutMs: durationMs.default(60_000),
  /** Connections at a time; more are closed as soon as they come. */
  maxConnections: z.int().min(1).default(16_384),
  /** Serve HTTPS. */
  tls: tlsSchema,
  /** Proxies whose `X-Forwarded-For` says who calls: how many of them, or their addresses. */
  trustProxy: trustProxySchema,
  cors: corsSchema,
  /** Longest time that a stop waits for work in flight and queued; then it is forced. 0 = it does not wait. */
  drainTimeoutMs: durationOrZeroMs.default(30_000),
  /** Time for which requests are still served after readiness went 503, so that balancers can look away. */
  drainDelayMs: durationOrZeroMs.default(0),
  /** Access lines logged whole; above this rate they are sampled. Errors and slow requests are always logged. */
  accessLogPerSecond: z.int().min(0).default(200),
  /** A request that takes longer is always logged. 0 = every request is. */
  slowRequestMs: durationOrZeroMs.default(1_000),
  /** Answers of inferences carry `Server-Timing`; false: those that ask for it with `X-Server-Timing: 1`. */
  serverTiming: z.boolean().default(false),
  /** Origins other than the gateway's own whose pages may call the admin routes, as `https://app.example.com`. */
  allowedOrigins: z
    .array(
      z
        .string()
        .refine(isOrigin)
        .meta({ description: 'an origin such as "https://app.example.com" (no path, no final slash)' }),
    )
    .default([]),
  /** Host names, other than `localhost` and `host`, by which the admin routes may be called; `*` = any. */
  allowedHosts: z
    .array(
      z
        .string()
        .refine(isHostName)
        .meta({ description: 'a host name such as "gateway.example.com" (no port), or "*" for any' }),
    )
    .default([]),
});

export const healthSchema = z.strictObject({
  /** Liveness fails when a batch has run for so many times its predicted time (and for `stuckMinMs`). */
  stuckFactor: z.number().min(1).default(100),
  stuckMinMs: durationMs.default(180_000),
});

export const grpcSchema = z.strictObject({
  /** Serve the Open Inference Protocol by gRPC too, beside HTTP. */
  enabled: z.boolean().default(false),
  host: z.string().min(1).default('127.0.0.1'),
  /** 0 = any free port. */
  port: z.int().min(0).max(65_535).default(8081),
  /** Larger requests are refused. */
  maxMessageBytes: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(16 * 1024 * 1024),
  tls: tlsSchema,
  /** Tell clients such as grpcurl which services and messages there are. */
  reflection: z.boolean().default(false),
});

export const logSchema = z.strictObject({
  level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** `auto`: pretty on a terminal, JSON lines otherwise. */
  format: z.enum(['auto', 'json', 'pretty']).default('auto'),
});

/** Credentials belong in a variable of the environment, which no log shows. */
const isCollectorUrl = (text: string): boolean => {
  if (text === '') return true;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
};

export const tracingSchema = z.strictObject({
  /** Collector of OpenTelemetry traces, OTLP over HTTP; without a path, `/v1/traces` is added. Empty = no traces. */
  otlpUrl: z
    .string()
    .refine(isCollectorUrl)
    .meta({ description: 'a URL such as "http://127.0.0.1:4318" without credentials, or "" for no traces' })
    .default(''),
  /** Part of the traces that begin here to record; the others follow the decision of their callers. */
  sampleRatio: z.number().min(0).max(1).default(0.1),
  serviceName: z.string().min(1).default('carpool'),
  /** Variable of the environment with headers for the collector: `name=value,name=value`, percent-encoded. */
  headersEnv: z.string().min(1).default('OTEL_EXPORTER_OTLP_HEADERS'),
});

export const lanesSchema = z.strictObject({
  /** Threads are quicker; processes survive a crash of the runtime and can be killed. */
  isolation: z.enum(['thread', 'process']).default('thread'),
  /** Lanes of the gateway, shared by all models. `auto`: from the CPU quota of the container. */
  count: autoOrCount.default('auto'),
  /** Threads of one run inside a lane. `auto`: the CPU quota shared out over the lanes. */
  intraOpThreads: autoOrCount.default('auto'),
  /** ONNX Runtime's execution providers, in the order of preference. */
  executionProviders: z.array(z.string().min(1)).min(1).default(['cpu']),
  /** A run may take so many times its predicted time; then its lane is given up and replaced. 0 = any time. */
  runTimeoutFactor: z.number().min(0).default(20),
  /** No run is given up sooner. */
  runTimeoutMinMs: durationMs.default(10_000),
  /** The same while what runs cost is not known yet, and for all else that is asked of a lane. */
  runTimeoutFirstMs: durationMs.default(120_000),
  /** A thread that hangs can't be ended. So many may exist; lanes that hang beyond it are not replaced. */
  maxAbandoned: z.int().min(0).max(256).default(8),
  /** Kill the own process when no lane is left because of that. */
  exitWhenStuck: z.boolean().default(false),
  /** A process lane that holds more memory is replaced between two runs. 0 = any amount. */
  maxRssBytes: z.int().min(0).default(0),
  /** So many lanes lost by one model within the window (a hang counts twice) take it out of service. 0 = never. */
  breakerLosses: z.int().min(0).default(10),
  /** The time inside the runs that are lost does not count. */
  breakerWindowMs: durationMs.default(60_000),
  /** For how long, the first time; twice as long each time that it loses its lane again. */
  breakerPauseMs: durationMs.default(5_000),
});

/** The keys of `models` that are not a model's name. */
export const modelsSchema = z.strictObject({
  /** Folder with one folder per model. Relative to the config file. */
  root: z.string().min(1).default('./models'),
  /** `'*'` = every folder of the root. */
  load: z.union([z.literal('*'), z.array(modelName)]).default('*'),
  /** Model that `/predict` uses when the request names none. Absent: the only text model, if there is just one. */
  default: modelName.exactOptional(),
  /** Folder for measured costs, so that the next start knows them; relative to the config file. */
  cacheDir: z.string().min(1).default('./.carpool'),
  /**
   * Time for the whole start, all models together: longer, and it fails. And for each model that a lane opens again when
   * it replaces one that died: longer, and it is given up for another.
   */
  startupTimeoutMs: durationMs.default(120_000),
  /** Between two looks at the model root for new, changed and removed files. 0 = none. */
  pollIntervalMs: durationOrZeroMs.default(0),
  /** A file that is not known yet is first loaded and run in a process of its own, which it may take down. */
  trial: z.boolean().default(true),
  /** Time for that; longer, and the file is refused. */
  trialTimeoutMs: durationMs.default(60_000),
  /** Memory that it may take. `auto`: three quarters of what the gateway may use. */
  trialMemoryBytes: z.union([z.literal('auto'), z.int().min(1)]).default('auto'),
});

/** `models.<name>`: wins over the model's card, which wins over `batching`. */
export const modelOverridesSchema = z.strictObject({
  batching: batchingOverrides.exactOptional(),
  /**
   * Is the gateway unready without it? Absent: when no lane can run it; true: also when it could not be loaded; false:
   * never.
   */
  required: z.boolean().exactOptional(),
  cache: cacheOverrides.exactOptional(),
  /** Of a folder with versions. */
  versions: versionsSchema.exactOptional(),
});

/** config.yaml without the `models.<name>` entries, which resolve.ts sets apart. */
export const configSchema = z.strictObject({
  server: serverSchema.prefault({}),
  grpc: grpcSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  access: accessSchema.exactOptional(),
  log: logSchema.prefault({}),
  tracing: tracingSchema.prefault({}),
  lanes: lanesSchema.prefault({}),
  health: healthSchema.prefault({}),
  batching: batchingSchema.prefault({}),
  cache: cacheSchema.prefault({}),
  models: modelsSchema.prefault({}),
});

export type ServerConfig = z.infer<typeof serverSchema>;
export type LogConfig = z.infer<typeof logSchema>;
export type TracingConfig = z.infer<typeof tracingSchema>;
export type LanesConfig = z.infer<typeof lanesSchema>;
export type ModelOverrides = z.infer<typeof modelOverridesSchema>;

export interface ModelsConfig extends z.infer<typeof modelsSchema> {
  /** By model name. A map, so that a model may be called `__proto__`. */
  readonly overrides: ReadonlyMap<string, ModelOverrides>;
}

/** A whole configuration: checked, every default filled in, paths absolute. */
export interface Config extends Omit<z.infer<typeof configSchema>, 'models'> {
  /** Absolute folder that relative paths start from: the config file's. */
  readonly baseDir: string;
  readonly models: ModelsConfig;
}

type RawConfig = z.input<typeof configSchema>;

/** What a caller may write: every key optional, and any other key of `models` is a model's overrides. */
export interface ConfigInput extends Omit<RawConfig, 'models'> {
  readonly models?: NonNullable<RawConfig['models']> & Readonly<Record<string, unknown>>;
}
