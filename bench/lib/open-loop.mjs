import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ascending, quantile, seededRandom } from './stats.mjs';

/** Confidence has three decimals in the answer. */
const TOLERANCE = 1.1e-3;
/** Requests under way at most; one more is a failure of its own, so that a server that hangs can't eat the machine. */
const MOST_OPEN = 4_096;
/** After the last request was sent, for answers that are still out; later they count as unanswered. */
const PATIENCE_MS = 40_000;
/** The part of the requests that only fills the queue. */
const WARM_UP = 0.1;

/** A probe with fewer says nothing about p99. */
const LEAST_REQUESTS = 300;
/** A probe may last so many times what it lasts at the expected capacity; the shortest that tells, so many times. */
const LONGEST = 2.5;
const LONGEST_OF_FEW = 8;

/** How a request ended; `outcomes` counts what HTTP says. */
const KIND = { open: 0, right: 1, wrong: 2, refused: 3, broken: 4 };

/**
 * Poisson arrivals and the texts they bring. The same seed gives the same gaps, but for a factor, and the same texts at
 * any rate: arms are compared, and simulated, on the same traces.
 *
 * @returns `atMs` and `pick` (an index of the pool) of every request
 */
export const traceOf = ({ requests, ratePerS, seed, poolSize }) => {
  const gaps = seededRandom(seed);
  const picks = seededRandom(seed ^ 0x5bd1e995);
  const atMs = new Float64Array(requests);
  const pick = new Uint32Array(requests);
  let now = 0;
  for (let i = 0; i < requests; i++) {
    now += (-Math.log(1 - gaps()) * 1000) / ratePerS;
    atMs[i] = now;
    pick[i] = Math.floor(picks() * poolSize);
  }
  return { atMs, pick };
};

/**
 * Requests of a probe: as many for every arm, so that all see the same trace, but a slow one is not played for ever.
 *
 * @param most at capacity, about `seconds` of them
 */
export const requestsAt = (ratePerS, { most, seconds }) =>
  Math.max(Math.min(most, LEAST_REQUESTS), Math.min(most, Math.round(ratePerS * seconds * LONGEST)));

/** Below this rate even the fewest requests take too long. */
export const leastRateOf = ({ seconds }) => LEAST_REQUESTS / (seconds * LONGEST_OF_FEW);

export const warmUpOf = (requests) => Math.round(requests * WARM_UP);

/** Misses that p99 <= SLO allows among the requests that count. */
export const mayMiss = (requests) => Math.floor(0.01 * (requests - warmUpOf(requests)));

/** A keep-alive connection with at most one request under way. */
class Connection {
  #received = '';
  #onAnswer;
  index = -1;

  /** @param onAnswer called with the connection, the status, the head and the body; status 0: the connection is gone */
  constructor(port, onAnswer) {
    this.#onAnswer = onAnswer;
    this.socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.#onAnswer(this, 0, '', ''));
  }

  ask(index, bytes) {
    this.index = index;
    this.socket.write(bytes);
  }

  #take(chunk) {
    this.#received += chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    const answer = this.#received;
    this.#received = '';
    this.#onAnswer(this, Number(answer.slice(9, 12)), answer.slice(0, headEnd), answer.slice(headEnd + 4));
  }
}

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
  child.send({ pool });
  await once(child, 'message');
  return {
    /** @param options of `OpenLoop`. @throws Error when an answer was wrong */
    async run(options) {
      child.send({ run: options });
      const [result] = await once(child, 'message');
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
