// Mounts the gateway's router below /ai in an Express app of your own, asks it once, and ends.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { createGateway } from 'carpool';

const gateway = createGateway({
  models: { root: fileURLToPath(new URL('../models', import.meta.url)), default: 'spam' },
  log: { level: 'warn' },
});
await gateway.ready();

const app = express();
app.get('/', (_req, res) => res.send('my own page'));
app.use('/ai', gateway.router);

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

const answer = await fetch(`${url}/ai/predict`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ texts: ['You have won a free prize, call now', 'Lunch at noon?'] }),
});
console.log('the app itself:', await (await fetch(url)).text());
console.log('POST /ai/predict:', answer.status, JSON.stringify(await answer.json()));

// Your app stops taking requests first, then the gateway finishes what it has.
server.close();
server.closeIdleConnections();
console.log('closed:', await gateway.close());
