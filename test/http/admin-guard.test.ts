import { describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { createAdminGuard } from '../../src/http/admin-guard.js';
import { createOwnHost } from '../../src/http/own-host.js';
import { sendJson } from '../../src/http/reply.js';
import { post, withServer } from './harness.js';

/** `fetch` does not let one set Host and Sec-Fetch-Site. */
const statusOf = (port: number, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request({ port, path: '/x', method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

const guard = createAdminGuard({
  allowedOrigins: ['https://ops.example:8443', 'https://plain.example/'],
  isOwnHost: createOwnHost('bound.example', ['GW.example']),
});
const routes = post(guard((_req, res) => void sendJson(res, 200, {})));

describe('admin guard', () => {
  it.each<[string, Record<string, string>]>([
    ['no Origin', {}],
    ['no Origin, same site', { 'sec-fetch-site': 'same-origin' }],
    ['own origin', { host: 'gw.example:8080', origin: 'http://gw.example:8080' }],
    ['own origin behind TLS', { host: 'gw.example', origin: 'https://gw.example' }],
    ['own origin, default port in Host', { host: 'gw.example:443', origin: 'https://gw.example' }],
    ['own origin, capitals', { host: 'GW.example', origin: 'http://gw.example' }],
    ['allowed origin', { host: 'gw.example', origin: 'https://ops.example:8443' }],
    [
      'allowed origin, cross-site',
      { host: 'gw.example', origin: 'https://plain.example', 'sec-fetch-site': 'cross-site' },
    ],
    ['the name that it listens on', { host: 'bound.example:8080' }],
    ['the same, absolute', { host: 'bound.example.:8080', origin: 'http://bound.example.:8080' }],
    ['localhost', { host: 'localhost:8080', origin: 'http://localhost:8080' }],
    ['a name below localhost', { host: 'gw.localhost' }],
    ['an address', { host: '192.0.2.7:8080', origin: 'http://192.0.2.7:8080' }],
    ['an IPv6 address', { host: '[2001:db8::1]:8080', origin: 'http://[2001:db8::1]:8080' }],
    ['allowed origin on a host that is not', { host: 'inside', origin: 'https://ops.example:8443' }],
  ])('lets pass: %s', (_name, headers) =>
    withServer(routes, async ({ port }) => expect(await statusOf(port, headers)).toBe(200)),
  );

  it.each<[string, Record<string, string>]>([
    ['other host', { host: 'gw.example', origin: 'http://evil.example' }],
    ['other port', { host: 'gw.example:8080', origin: 'http://gw.example:8081' }],
    ['default port against another', { host: 'gw.example:8080', origin: 'http://gw.example' }],
    ['subdomain', { host: 'gw.example', origin: 'http://a.gw.example' }],
    ['null', { host: 'gw.example', origin: 'null' }],
    ['nonsense', { host: 'gw.example', origin: 'gw.example' }],
    ['two origins', { host: 'gw.example', origin: 'http://gw.example, http://evil.example' }],
    ['file page', { host: 'gw.example', origin: 'file://' }],
    ['other scheme than the allowed one', { host: 'gw.example', origin: 'http://ops.example:8443' }],
    ['cross-site without Origin', { host: 'gw.example', 'sec-fetch-site': 'cross-site' }],
    [
      'cross-site with own Origin',
      { host: 'gw.example', origin: 'http://gw.example', 'sec-fetch-site': 'cross-site' },
    ],
    // DNS rebinding: to the browser the page is of our own origin.
    ['a name that is not ours', { host: 'evil.example:8080', origin: 'http://evil.example:8080' }],
    ['the same without Origin, as for GET', { host: 'evil.example:8080', 'sec-fetch-site': 'same-origin' }],
    ['a name below an allowed one', { host: 'a.gw.example' }],
    ['a name that begins as an address', { host: '127.0.0.1.evil.example' }],
    ['a name that ends like localhost', { host: 'evillocalhost' }],
    ['no name at all', { host: 'a b' }],
  ])('refuses: %s', (_name, headers) =>
    withServer(routes, async ({ port, recorder }) => {
      expect(await statusOf(port, headers)).toBe(403);
      expect((await recorder.next()).code).toBe('FORBIDDEN');
    }),
  );
});

describe('any host', () => {
  it('passes where * is allowed', () => {
    const isOwnHost = createOwnHost('0.0.0.0', ['*']);
    expect(isOwnHost('evil.example')).toBe(true);
    expect(createOwnHost('0.0.0.0', [])('evil.example')).toBe(false);
  });
});
