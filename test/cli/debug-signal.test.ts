import { expect, it } from '@jest/globals';
import { runCli } from '../../src/cli/run-cli.js';
import { FakeGateway, fakeHost, settle } from './fakes.js';

it('SIGUSR2 toggles debug while it serves, and stops nothing', async () => {
  const gateway = new FakeGateway();
  gateway.closesAtOnce = true;
  const host = fakeHost(gateway);
  const ending = runCli(['serve'], host);
  await settle();
  host.signals.emit('SIGUSR2');
  host.signals.emit('SIGUSR2');
  expect(gateway.calls).toEqual(['listen', 'toggle debug', 'toggle debug']);
  host.signals.emit('SIGTERM', 'SIGTERM');
  expect((await ending).exitCode).toBe(0);
  expect(host.signals.listenerCount('SIGUSR2')).toBe(0);
});
