/**
 * A program for a child process: serves 500 texts in lanes of the kind that its argument names, closes, prints what is
 * left of it, and should then end by itself.
 */
import { createGateway } from '../../src/index.js';
import { HttpClient } from '../support/http-client.js';
import { SHIPPED_MODELS } from '../support/start-gateway.js';

const gateway = createGateway({
  server: { port: 0 },
  log: { level: 'silent' },
  lanes: { isolation: process.argv[2] },
  models: { root: SHIPPED_MODELS },
});
const { url } = await gateway.listen();
const client = new HttpClient(url);
const { status } = await client.post('/predict', { texts: Array(500).fill('free prize') });
client.close();
const outcome = await gateway.close();
// A handle that is closed is gone a turn of the loop later.
for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
// Its own stdout is a pipe here.
const left = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');
console.log(JSON.stringify({ status, outcome, left }));
