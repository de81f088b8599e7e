import { parentPort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { CarpoolError, messageOf, toWireError } from '../errors.js';
import type { Signature } from '../models/signature.js';
import { elementCount, isDType, sliceRows, type Tensor, type TensorSpec } from '../tensor.js';
import { fillRows, padTexts, textInputsOf, type TextInputs } from './pad.js';
import { poolRows } from './pool-rows.js';
import type { LaneBatch, LaneOutput, LaneReply, LaneRequest, ModelSpec } from './protocol.js';
import { transferable } from './transfer.js';

/**
 * The inside of a lane, thread or child process: the only code that touches ONNX Runtime. `run()` blocks this thread
 * for as long as the model takes, so messages wait here and never on the event loop that serves HTTP.
 */
interface OpenModel {
  readonly spec: ModelSpec;
  readonly session: ort.InferenceSession;
  readonly signature: Signature;
  readonly textInputs: TextInputs | undefined;
}

// Whatever fails is thrown with its reason; the runtime's own coloured lines on stderr would only come on top.
ort.env.logLevel = 'fatal';

const models = new Map<string, OpenModel>();
const port = parentPort;

/** @param onSent called when the reply is written out; a gateway that is gone is no error, 'disconnect' ends us then */
const send = (reply: LaneReply, onSent?: () => void): void => {
  if (port === null) process.send?.(reply, undefined, undefined, () => onSent?.());
  else {
    port.postMessage(reply, reply.type === 'ran' ? transferable(reply.output.outputs) : []);
    onSent?.();
  }
};

const handle = async (request: LaneRequest): Promise<void> => {
  const { id } = request;
  try {
    switch (request.type) {
      case 'load':
        send({ type: 'loaded', id, signature: await load(request.spec) });
        return;
      case 'run':
        send({ type: 'ran', id, output: await run(request.key, request.batch, request.fillTo) });
        return;
      case 'unload': {
        const model = models.get(request.key);
        models.delete(request.key);
        await model?.session.release();
        send({ type: 'ok', id });
        return;
      }
      case 'stop':
        // Closing the wire drops what is not written out yet: a large answer, say.
        send({ type: 'ok', id }, stop);
        return;
    }
  } catch (error) {
    send({ type: 'failed', id, error: toWireError(error) });
  }
};

/** Ends between two runs: the port is the only thing that keeps the thread alive. */
const stop = (): void => {
  if (port !== null) port.close();
  else if (process.connected) process.disconnect();
};

/** Loading the same key twice is one load: a lane that restarts while a model is being opened everywhere sees both. */
const load = async (spec: ModelSpec): Promise<Signature> => {
  const opened = models.get(spec.key);
  if (opened !== undefined) return opened.signature;
  const built = ort.listSupportedBackends();
  const unknown = spec.executionProviders.find((name) => !built.some((backend) => backend.name === name));
  const has = built.map((backend) => backend.name + (backend.bundled ? '' : ' (needs libraries)')).join(', ');
  if (unknown !== undefined)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `execution provider '${unknown}' is not in this build of ONNX Runtime, which has: ${has}`,
    );
  const session = await create(spec, has);
  try {
    const signature = {
      inputs: session.inputMetadata.map((value) => specOf(value, 'input')),
      outputs: session.outputMetadata.map((value) => specOf(value, 'output')),
    };
    const textInputs = spec.text === undefined ? undefined : textInputsOf(signature);
    models.set(spec.key, { spec, session, signature, textInputs });
    return signature;
  } catch (error) {
    await session.release();
    throw new CarpoolError('MODEL_LOAD_FAILED', `${spec.file}: ${messageOf(error)}`);
  }
};

const create = async (spec: ModelSpec, has: string): Promise<ort.InferenceSession> => {
  try {
    return await ort.InferenceSession.create(spec.file, {
      executionProviders: [...spec.executionProviders],
      intraOpNumThreads: spec.intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      // A plan of memory is kept for every shape that was ever seen, and texts come in thousands: bench/arena.mjs.
      enableMemPattern: spec.text === undefined,
      // Idle intra-op threads would spin and steal the other lanes' cores.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (error) {
    const reason = messageOf(error);
    const hint = /ExecutionProvider|shared library|webgpu/i.test(reason)
      ? ` (wanted execution providers: ${spec.executionProviders.join(', ')}; this build has: ${has})`
      : '';
    throw new CarpoolError('MODEL_LOAD_FAILED', `${spec.file}: ${reason}${hint}`);
  }
};

const specOf = (value: ort.InferenceSession.ValueMetadata, kind: string): TensorSpec => {
  if (!value.isTensor)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `${kind} '${value.name}' is a sequence or map; only tensors can be served (export with zipmap off)`,
    );
  if (!isDType(value.type))
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `${kind} '${value.name}' has dtype ${value.type}, which is not supported`,
    );
  // An unnamed dynamic dimension comes as '' or -1.
  const shape = value.shape.map((dim) => (dim === '' || (typeof dim === 'number' && dim < 0) ? '?' : dim));
  return { name: value.name, dtype: value.type, shape };
};

const run = async (key: string, batch: LaneBatch, fillTo: number | undefined): Promise<LaneOutput> => {
  const model = models.get(key);
  if (model === undefined)
    throw new CarpoolError(
      'MODEL_UNAVAILABLE',
      `model ${key} could not be loaded again after this lane was restarted`,
    );
  const readAt = performance.now();
  const { tensors, rows } = feedsOf(model, batch);
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, tensor] of tensors) {
    const filled = fillTo === undefined ? tensor : fillRows(tensor, fillTo);
    feeds[name] = new ort.Tensor(filled.dtype, filled.data, filled.dims);
  }
  const startedAt = performance.now();
  const results = await execute(model, feeds);
  const runMs = performance.now() - startedAt;
  const outputs = model.signature.outputs.map(({ name }) => tensorOf(name, results[name]));
  const laneMs = (): number => performance.now() - readAt;
  const memory = memoryNow();
  if (fillTo === undefined) return { outputs: pooled(batch, outputs), runMs, laneMs: laneMs(), ...memory };
  // An output without the batch on axis 0 is left as it is: whoever splits the rows refuses it.
  const cut = (output: Tensor): Tensor => (output.dims[0] === fillTo ? sliceRows(output, 0, rows) : output);
  return { outputs: pooled(batch, outputs.map(cut)), runMs, laneMs: laneMs(), ...memory };
};

const LOOK_EVERY_MS = 500;
let lookedAt = -Infinity;

/** Of a process of its own only: a thread's memory is the gateway's. Now and then: reading it takes some 20 µs. */
const memoryNow = (): { readonly rssBytes?: number } => {
  const now = performance.now();
  if (port !== null || now - lookedAt < LOOK_EVERY_MS) return {};
  lookedAt = now;
  return { rssBytes: process.memoryUsage.rss() };
};

const pooled = (batch: LaneBatch, outputs: readonly Tensor[]): readonly Tensor[] =>
  batch.kind === 'texts' && batch.pool !== undefined ? poolRows(outputs, batch.lengths, batch.pool) : outputs;

const feedsOf = (model: OpenModel, batch: LaneBatch): { tensors: Map<string, Tensor>; rows: number } => {
  if (batch.kind === 'texts') {
    if (model.textInputs === undefined)
      throw new CarpoolError('INTERNAL', `texts for a model without text inputs: a bug in the pipeline`);
    const padId = model.spec.text?.padId ?? 0;
    return { tensors: padTexts(batch, model.textInputs, padId), rows: batch.lengths.length };
  }
  const named = model.signature.inputs.map(({ name }, i): [string, Tensor] => {
    const tensor = batch.inputs[i];
    if (tensor === undefined) throw new CarpoolError('INTERNAL', `no tensor for input '${name}'`);
    return [name, tensor];
  });
  return { tensors: new Map(named), rows: batch.rows };
};

const execute = async (
  model: OpenModel,
  feeds: Record<string, ort.Tensor>,
): Promise<ort.InferenceSession.OnnxValueMapType> => {
  try {
    return await model.session.run(feeds);
  } catch (error) {
    throw new CarpoolError('EXECUTION_FAILED', messageOf(error));
  }
};

const tensorOf = (name: string, value: ort.OnnxValue | undefined): Tensor => {
  if (value === undefined || !isDType(value.type))
    throw new CarpoolError(
      'EXECUTION_FAILED',
      `output '${name}': dtype ${String(value?.type)} is not supported`,
    );
  const data = value.data;
  if (data.length !== elementCount(value.dims))
    throw new CarpoolError(
      'EXECUTION_FAILED',
      `output '${name}': ${data.length} values for [${value.dims.join(',')}]`,
    );
  if (value.type === 'float16' && !Array.isArray(data))
    // Newer Node versions have a Float16Array; the gateway carries the raw words.
    return {
      dtype: 'float16',
      dims: value.dims,
      data: new Uint16Array(data.buffer, data.byteOffset, data.length),
    };
  return { dtype: value.type, dims: value.dims, data };
};

/**
 * One request after the other. The runtime's binding opens and runs in a later turn of the event loop, so the next
 * message would overtake it: a run before its load is done, a stop or an unload in the middle of a run.
 */
let last = Promise.resolve();
const receive = (request: LaneRequest): void => {
  last = last.then(() => handle(request));
};

if (port !== null) {
  port.on('message', receive);
} else {
  process.on('message', receive);
  // The gateway decides when a lane ends: Ctrl-C reaches the whole process group, and a run must finish.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => process.exit(0));
}
send({ type: 'ready' });
