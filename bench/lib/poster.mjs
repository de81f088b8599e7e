import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';

/**
 * Posts requests from a process of its own, one at a time over one connection, and takes their time there: a client in
 * the server's process would take turns with it.
 */
export const startPoster = async () => {
  const child = fork(fileURLToPath(import.meta.url), ['child'], { serialization: 'advanced' });
  await once(child, 'spawn');
  return {
    /** @param asked `{port, path, headers, body}` under a name, sent once */
    add: (name, asked) => void child.send({ name, asked }),
    /** @returns `{ms, headers, bytes}`, from the first byte sent to the last one received */
    post: async (name) => {
      child.send({ post: name });
      const [answer] = await once(child, 'message');
      return answer;
    },
    stop: () => child.kill(),
  };
};

const postOnce = (agent, { port, path, headers, body }) =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const req = request({ agent, host: '127.0.0.1', port, method: 'POST', path, headers }, (res) => {
      const chunks = [];
      res
        .on('data', (chunk) => chunks.push(chunk))
        .on('end', () =>
          resolve({
            ms: performance.now() - startedAt,
            headers: res.headers,
            bytes: Buffer.concat(chunks),
          }),
        );
    });
    req.on('error', reject).end(body);
  });

if (process.argv[2] === 'child' && process.send !== undefined) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const known = new Map();
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ name, asked, post }) => {
    if (name !== undefined) known.set(name, asked);
    else process.send(await postOnce(agent, known.get(post)));
  });
}
