// Two gateways in one process, with the same model and different settings: one never waits for company (the default),
// the other holds a text back for up to 10 ms. 300 callers ask each of them, all at once.
import { fileURLToPath } from 'node:url';
import { createGateway } from 'carpool';

const CALLERS = 300;

const serve = async (batching) => {
  const gateway = createGateway({
    server: { port: 0 },
    log: { level: 'warn' },
    batching,
    models: { root: fileURLToPath(new URL('../models', import.meta.url)), load: ['spam'] },
  });
  const { url } = await gateway.listen();
  return { gateway, url };
};

const textOf = (caller) =>
  caller % 2 === 0 ? `You have won a free prize, call 0800 ${caller}` : `Lunch at ${caller % 12}?`;

const ask = async (url, caller) => {
  const response = await fetch(`${url}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ texts: [textOf(caller)] }),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  const { predictions } = await response.json();
  return predictions[0];
};

const runsSoFar = async (url) => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^carpool_batch_rows_count\{model="spam"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
};

const [prompt, patient] = await Promise.all([serve({}), serve({ maxWaitMs: 10, maxBatch: 32 })]);

for (const [name, { url }] of Object.entries({ prompt, patient })) {
  const alone = await ask(url, 8);
  const before = await runsSoFar(url);
  const together = await Promise.all(Array.from({ length: CALLERS }, (_, caller) => ask(url, caller)));
  const runs = (await runsSoFar(url)) - before;
  const labels = together.filter(({ label }) => label === 'spam').length;
  console.log(`${name}: ${CALLERS} callers in ${runs} runs, ${labels} of them sent spam`);
  console.log(`  caller 8 alone ${JSON.stringify(alone)}, together ${JSON.stringify(together[8])}`);
}

console.log('closed:', await Promise.all([prompt.gateway.close(), patient.gateway.close()]));
