import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Connection } from './connection.mjs';
import { ascending, quantile } from './stats.mjs';
import { mayMiss, traceOf, warmUpOf } from './trace.mjs';

/** Confidence has three decimals in the answer. */
const TOLERANCE = 1.1e-3;
/** Requests under way at most; one more is a failure of its own, so that a server that hangs can't eat the machine. */
const MOST_OPEN = 4_096;
/** After the last request was sent, for answers that are still out; later they count as unanswered. */
const PATIENCE_MS = 40_000;

/** How a request ended; `outcomes` counts what HTTP says. */
const KIND = { open: 0, right: 1, wrong: 2, refused: 3, broken: 4 };

const isRight = (want, body) => {
  const [prediction] = JSON.parse(body).predictions ?? [];
  return prediction?.label === want.label && Math.abs(prediction.confidence - want.confidence) <= TOLERANCE;
};

/**
 * Sends every request of the trace at its own time, whether or not others are answered, and takes latency from that
 * time: what a late send or a full queue costs is in it. Every answer is checked against the text's answer alone.
 *
 * @param options `{port, ratePerS, requests, seed, sloMs, giveUp}`; `giveUp`: end once p99 can't hold the SLO any more
 */
class OpenLoop {
  #options;
  #pool;
  #trace;
  #free = [];
  #connections = new Set();
  #kind;
  #endMs;
  #sentMs;
  #misses = 0;
  #oldest = 0;
  #next = 0;
  #left;
  #gaveUp = false;
  #counts = {};
  #samples = [];
  #done;

  constructor(pool, options) {
    this.#pool = pool;
    this.#options = options;
    const { requests } = options;
    this.#trace = traceOf({ ...options, poolSize: pool.length });
    this.#kind = new Uint8Array(requests);
    this.#endMs = new Float64Array(requests).fill(NaN);
    this.#sentMs = new Float64Array(requests).fill(NaN);
    this.#left = requests;
  }

  async run() {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    const now = () => performance.now() - startedAt;
    const allSettled = new Promise((resolve) => (this.#done = resolve));
    this.#tick(now);
    await Promise.race([allSettled, this.#patience()]);
    const { user, system } = process.cpuUsage(cpu);
    for (const connection of this.#connections) connection.socket.destroy();
    return { ...this.#result(), loadCpuMs: (user + system) / 1000 };
  }

  async #patience() {
    const { atMs } = this.#trace;
    await pause(atMs[atMs.length - 1] + PATIENCE_MS, undefined, { ref: false });
  }

  #tick(now) {
    const { atMs } = this.#trace;
    const nowMs = now();
    while (this.#next < atMs.length && atMs[this.#next] <= nowMs) this.#send(this.#next++, now);
    if (this.#options.giveUp && this.#isLost(nowMs)) {
      this.#gaveUp = true;
      this.#done();
    } else if (this.#next < atMs.length)
      setTimeout(() => this.#tick(now), Math.min(20, atMs[this.#next] - nowMs));
  }

  /** More misses than p99 allows, those counted that are under way and late already. */
  #isLost(nowMs) {
    const { sloMs, requests } = this.#options;
    const { atMs } = this.#trace;
    const from = warmUpOf(requests);
    while (this.#oldest < this.#next && this.#kind[this.#oldest] !== KIND.open) this.#oldest++;
    let late = 0;
    for (let i = Math.max(from, this.#oldest); i < this.#next && atMs[i] + sloMs < nowMs; i++)
      if (this.#kind[i] === KIND.open) late++;
    return this.#misses + late > mayMiss(requests);
  }

  #send(index, now) {
    const entry = this.#pool[this.#trace.pick[index]];
    this.#sentMs[index] = now();
    if (this.#connections.size - this.#free.length >= MOST_OPEN) {
      this.#settle(index, KIND.broken, 'no connection left', now());
      return;
    }
    const connection = this.#free.pop() ?? this.#open(now);
    connection.ask(index, entry.bytes);
  }

  #open(now) {
    const connection = new Connection(this.#options.port, (...answer) => this.#answered(now(), ...answer));
    this.#connections.add(connection);
    return connection;
  }

  #answered(nowMs, connection, status, head, body) {
    const { index } = connection;
    connection.index = -1;
    if (status === 0) {
      this.#connections.delete(connection);
      this.#free = this.#free.filter((one) => one !== connection);
    } else this.#free.push(connection);
    if (index === -1) return;
    if (status === 200) {
      const right = isRight(this.#pool[this.#trace.pick[index]], body);
      this.#settle(index, right ? KIND.right : KIND.wrong, right ? '200' : '200 wrong', nowMs, body);
    } else if (status === 0) this.#settle(index, KIND.broken, 'connection closed', nowMs);
    else {
      const promise = /^retry-after:/im.test(head) ? '' : ' without Retry-After';
      this.#settle(index, KIND.refused, `${status}${promise}`, nowMs, body);
    }
  }

  #settle(index, kind, what, nowMs, body = '') {
    this.#kind[index] = kind;
    this.#endMs[index] = nowMs;
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
    if (kind !== KIND.right && this.#samples.length < 3) this.#samples.push(`${what}: ${body.slice(0, 200)}`);
    const { requests, sloMs } = this.#options;
    const isInTime = kind === KIND.right && nowMs - this.#trace.atMs[index] <= sloMs;
    if (index >= warmUpOf(requests) && !isInTime) this.#misses++;
    if (--this.#left === 0) this.#done();
  }

  #result() {
    const { requests, sloMs, ratePerS } = this.#options;
    const { atMs, pick } = this.#trace;
    const from = warmUpOf(requests);
    const [windowFrom, windowTo] = [atMs[from], atMs[requests - 1]];
    const medianTokens = quantile(ascending(this.#pool.map(({ tokens }) => tokens)), 0.5);
    const sides = { short: { sent: 0, served: 0 }, long: { sent: 0, served: 0 } };
    const latencies = [];
    const lags = [];
    let [goodTokens, answered, unanswered] = [0, 0, 0];
    for (let i = 0; i < requests; i++) {
      const { tokens } = this.#pool[pick[i]];
      const latency = this.#endMs[i] - atMs[i];
      const isServed = this.#kind[i] === KIND.right;
      // What ends in the window is what the server does in steady state; sent there, it might be done after it.
      if (isServed && latency <= sloMs && this.#endMs[i] >= windowFrom && this.#endMs[i] < windowTo)
        goodTokens += tokens;
      if (i < from) continue;
      if (this.#kind[i] === KIND.open) unanswered++;
      else answered++;
      lags.push(this.#sentMs[i] - atMs[i]);
      if (isServed) latencies.push(latency);
      const side = tokens <= medianTokens ? sides.short : sides.long;
      side.sent++;
      if (isServed) side.served++;
    }
    const sorted = ascending(latencies);
    const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((q) => quantile(sorted, q));
    return {
      ratePerS,
      requests,
      holds: !this.#gaveUp && unanswered === 0 && this.#misses <= mayMiss(requests) && this.#isClean(),
      gaveUp: this.#gaveUp,
      misses: this.#misses,
      answered,
      unanswered,
      outcomes: this.#counts,
      problems: this.#samples,
      p50,
      p95,
      p99,
      max,
      sendLagP99: quantile(ascending(lags), 0.99),
      goodTokensPerS: (goodTokens * 1000) / (windowTo - windowFrom),
      shortServed: sides.short.served / sides.short.sent,
      longServed: sides.long.served / sides.long.sent,
      seconds: windowTo / 1000,
    };
  }

  /** Nothing but right answers. */
  #isClean() {
    return Object.keys(this.#counts).every((what) => what === '200');
  }
}

/** The load in a process of its own. `pool` as `poolOf` makes it. */
export const startOpenLoop = async (pool) => {
  const child = fork(fileURLToPath(import.meta.url), ['child'], { serialization: 'advanced' });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the load generator ended with ${code}`);
  });
  // `stop` ends it too, and then nobody waits.
  ended.catch(() => undefined);
  const reply = () => Promise.race([once(child, 'message'), ended]);
  child.send({ pool });
  await reply();
  return {
    /** @param options of `OpenLoop`. @throws Error when an answer was wrong */
    async run(options) {
      child.send({ run: options });
      const [result] = await reply();
      const wrong = result.outcomes['200 wrong'] ?? 0;
      if (wrong > 0) throw new Error(`${wrong} wrong answers: ${result.problems.join('; ')}`);
      return result;
    },
    stop: () => child.kill(),
  };
};

const bytesOf = ({ body }) =>
  Buffer.from(
    `POST /predict HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

if (process.argv[2] === 'child' && process.send !== undefined) {
  let pool = [];
  process.on('disconnect', () => process.exit());
  process.on('message', async (message) => {
    if (message.pool !== undefined) {
      pool = message.pool.map((entry) => ({ ...entry, bytes: bytesOf(entry) }));
      process.send({ ready: true });
    } else process.send(await new OpenLoop(pool, message.run).run());
  });
}
