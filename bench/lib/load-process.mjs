import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { closedLoop } from './closed-loop.mjs';

/**
 * The load generator in a process of its own, so that its work does not show as the server's. Run as the child, it keeps
 * the questions it is given once and answers each `run`.
 */
export const startLoad = async (questions) => {
  const child = fork(fileURLToPath(import.meta.url), ['child'], { serialization: 'advanced' });
  child.send({ questions });
  await once(child, 'message');
  let serial = 0;
  return {
    /** @param options of `closedLoop`, but for questions. @throws Error when an answer was wrong or missing */
    async run(options) {
      child.send({ run: { ...options, firstSerial: serial } });
      const [result] = await once(child, 'message');
      serial += result.sent;
      const problems = Object.entries(result.problems);
      if (problems.length > 0)
        throw new Error(
          `${problems.length} kinds of wrong answers, ${problems[0][1]} times: ${problems[0][0]}`,
        );
      return result;
    },
    stop: () => child.kill(),
  };
};

if (process.argv[2] === 'child' && process.send !== undefined) {
  let questions = [];
  process.on('message', async (message) => {
    if (message.questions !== undefined) {
      questions = message.questions;
      process.send({ ready: true });
    } else process.send(await closedLoop({ ...message.run, questions }));
  });
}
