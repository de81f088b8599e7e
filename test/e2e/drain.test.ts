import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConfigInput } from '../../src/config/schema.js';
import { HttpClient, type Reply } from '../support/http-client.js';
import {
  SHIPPED_MODELS,
  startGateway,
  tempModelRoot,
  until,
  type TempFolder,
} from '../support/start-gateway.js';
import { serveChild, type Served } from './serve-child.js';
import { SPAM_CASES } from './golden.js';

const ROW = Array.from({ length: 64 }, (_, i) => i);
const ANSWER = { y: [ROW.map((x) => x + 1)] };

let root: TempFolder;
let child: Served | undefined;

beforeEach(async () => {
  root = await tempModelRoot();
});
afterEach(async () => {
  await child?.end();
  child = undefined;
  await root.remove();
});

/** One lane that takes 100 ms and more a row. */
const slowConfig = (server: ConfigInput['server'] = {}, maxBatch = 1): ConfigInput => ({
  server,
  lanes: { count: 1 },
  batching: { maxBatch, composition: 'fifo' },
  models: { root: root.path, load: ['fraud_detector'] },
});

const askSlow = (client: HttpClient): Promise<Reply> => client.infer('slow', [ROW]);

/** `count` requests, one of them in its run and the others in the queue. */
const fill = async (client: HttpClient, count: number): Promise<{ readonly answers: Promise<Reply>[] }> => {
  await client.load('slow', 'slow.onnx');
  const answers = Array.from({ length: count }, () => askSlow(client));
  await until('all accepted, one running', async () => {
    const admitted = await client.metric('carpool_admitted_rows_total{model="slow"}');
    return admitted === count && (await client.metric('carpool_lanes{state="running"}')) === 1;
  });
  return { answers };
};

/** Status and code of each, or `cut` where no answer came. */
const codesOf = async (answers: readonly Promise<Reply>[]): Promise<string[]> =>
  (await Promise.allSettled(answers)).map((outcome) => {
    if (outcome.status === 'rejected') return 'cut';
    const { status, body } = outcome.value;
    return [status, body.error?.code].filter(Boolean).join(' ');
  });

const statusOf = (url: string, path: string): Promise<number | string> => {
  const client = new HttpClient(url);
  return client
    .get(path)
    .then(({ status }) => status)
    .catch((error: unknown) => String((error as { code?: unknown }).code))
    .finally(() => client.close());
};

describe('close()', () => {
  it('finishes what runs and what waits, takes nothing new, and ends drained', async () => {
    const running = await startGateway(slowConfig());
    const { answers } = await fill(running.client, 4);
    const closed = running.gateway.close();
    await until('refused', async () => (await statusOf(running.url, '/healthz')) === 'ECONNREFUSED');
    const replies = await Promise.all(answers);
    expect(replies.map(({ status, body }) => [status, body.outputs])).toEqual(
      answers.map(() => [200, ANSWER]),
    );
    // Their connections are told not to come back.
    expect(replies.map(({ headers }) => headers.connection)).toEqual(answers.map(() => 'close'));
    expect(await closed).toBe('drained');
    expect(await running.gateway.close()).toBe('drained');
  });

  it('gives up at the deadline: what waits is answered 503, and says so', async () => {
    const running = await startGateway(slowConfig({ drainTimeoutMs: 50 }));
    const { answers } = await fill(running.client, 12);
    const closed = running.gateway.close();
    const codes = await codesOf(answers);
    expect(await closed).toBe('deadline');
    // Those that had begun too: nobody is left without an answer.
    expect(codes.filter((code) => code !== '200' && code !== '503 DRAINING')).toEqual([]);
    expect(codes.at(-1)).toBe('503 DRAINING');
    await until('the abandoned run has ended', () => !running.gateway.isRunning());
  });
});

describe('SIGTERM', () => {
  it('under load: every request that was accepted is answered, and the exit is 0', async () => {
    child = await serveChild(root.path, slowConfig());
    const client = new HttpClient(child.url);
    const { answers } = await fill(client, 6);
    // Beside them, clients that never stop asking: each gets whole answers until it gets none at all.
    const wrong: string[] = [];
    const asking = Array.from({ length: 8 }, async () => {
      for (;;) {
        const reply = await client.infer('fraud_detector', [Array(30).fill(0)]).catch(() => undefined);
        if (reply === undefined) return;
        if (reply.status !== 200 || reply.body.predictions?.length !== 1) wrong.push(reply.text);
      }
    });
    child.process.kill('SIGTERM');
    const replies = await Promise.all(answers);
    expect(replies.map(({ status, body }) => [status, body.outputs])).toEqual(
      answers.map(() => [200, ANSWER]),
    );
    await Promise.all(asking);
    expect(wrong).toEqual([]);
    expect(await child.exit).toEqual({ code: 0, signal: null });
    client.close();
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'and then %s ends it at once, in the middle of a run',
    async (second) => {
      child = await serveChild(root.path, slowConfig());
      const client = new HttpClient(child.url);
      const { answers } = await fill(client, 40);
      const codes = codesOf(answers);
      child.process.kill('SIGTERM');
      await until('heard', () => child!.stderr().includes('SIGTERM: finishing'));
      const sentAt = performance.now();
      child.process.kill(second);
      // process.exit() would wait for the run and abort with a core dump.
      expect(await child.exit).toEqual({ code: null, signal: 'SIGKILL' });
      // The queue alone would take four seconds.
      expect(performance.now() - sentAt).toBeLessThan(2_000);
      expect(child.stderr()).toContain(`${second} again: stopping at once`);
      expect((await codes).at(-1)).toBe('cut');
      client.close();
    },
  );

  it('twice with nothing running exits with 1', async () => {
    child = await serveChild(root.path, slowConfig({ drainDelayMs: 60_000 }));
    child.process.kill('SIGTERM');
    await until('heard', () => child!.stderr().includes('SIGTERM: finishing'));
    child.process.kill('SIGTERM');
    expect(await child.exit).toEqual({ code: 1, signal: null });
  });

  it('is forced at the drain deadline, by SIGKILL where a run is under way', async () => {
    const rows = Array.from({ length: 32 }, () => ROW);
    child = await serveChild(root.path, slowConfig({ drainTimeoutMs: 100 }, rows.length));
    const client = new HttpClient(child.url);
    await client.load('slow', 'slow.onnx');
    // One run of seconds: it is surely under way at the deadline, on any machine.
    const answers = [client.infer('slow', rows)];
    await until(
      'it runs',
      async () =>
        (await client.metric('carpool_admitted_rows_total{model="slow"}')) === rows.length &&
        (await client.metric('carpool_lanes{state="running"}')) === 1,
    );
    answers.push(askSlow(client), askSlow(client));
    await until(
      'two wait behind it',
      async () => (await client.metric('carpool_admitted_rows_total{model="slow"}')) === rows.length + 2,
    );
    const codes = codesOf(answers);
    child.process.kill('SIGTERM');
    expect(await child.exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(child.stderr()).toContain('server.drainTimeoutMs (100) is over: stopping at once');
    expect(await codes).toEqual(answers.map(() => '503 DRAINING'));
    client.close();
  });

  it('with drainDelayMs keeps serving after readiness fell', async () => {
    child = await serveChild(root.path, {
      ...slowConfig({ drainDelayMs: 1_500 }),
      models: { root: SHIPPED_MODELS, load: ['spam'] },
    });
    const { url } = child;
    expect(await statusOf(url, '/readyz')).toBe(200);
    child.process.kill('SIGTERM');
    await until('not ready', async () => (await statusOf(url, '/readyz')) === 503);
    const client = new HttpClient(url);
    const { text, label } = SPAM_CASES[0]!;
    const [answer, ready] = await Promise.all([
      client.post('/predict', { texts: [text] }),
      client.get('/readyz'),
    ]);
    expect(answer.body.predictions).toMatchObject([{ label }]);
    expect(ready.body.status).toBe('draining');
    expect(await statusOf(url, '/healthz')).toBe(200);
    client.close();
    expect(await child.exit).toEqual({ code: 0, signal: null });
  });
});
