import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { brotliCompressSync } from 'node:zlib';
import type { OutgoingHttpHeaders } from 'node:http';
import { startGateway, type Running } from '../support/start-gateway.js';
import { expectRefused, invalid, mediaType, noModel, tooLarge, tooLong } from './refusals.js';

const BODY_LIMIT = 256 * 1024;
const MAX_ROWS = 100;

let running: Running;

beforeAll(async () => {
  running = await startGateway({
    server: { bodyLimitBytes: BODY_LIMIT, maxRequestRows: MAX_ROWS },
    models: { default: 'spam' },
  });
});
afterAll(() => running.close());

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('a body', () => {
  it.each([
    ['none', undefined, 'no body; expected a JSON object'],
    ['only spaces', '  \n ', 'no body; expected a JSON object'],
    ['broken JSON', '{"texts": ["a"', 'body: broken JSON at line 1, column 15'],
    ['two in one', '{"texts":["a"]}{"texts":["b"]}', 'body: broken JSON at line 1, column 16'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 'body: expected JSON in UTF-8'],
    [
      'a list',
      '["a"]',
      'body: expected an object with texts, model, timeoutMs, priority, truncate, scores …; got a list',
    ],
    ['null', 'null', 'got null'],
    ['100,000 levels of lists', deep(100_000), 'body: nested deeper than 64 levels'],
    ['100,000 levels below texts', `{"texts":${deep(100_000)}}`, 'body: nested deeper than 64 levels'],
    ['20,000 levels that never end', '{"texts":'.repeat(20_000), 'body: nested deeper than 64 levels'],
    ['a misspelt key', { text: ['a'] }, 'unknown key "text"; expected texts, model'],
    ['__proto__ as a key', '{"texts":["a"],"__proto__":{"model":"x"}}', 'unknown key "__proto__"'],
  ])('%s', async (_what, body, message) => {
    await expectRefused(running.client, invalid(message, { body }));
  });

  it.each<[string, OutgoingHttpHeaders, string | Buffer, string]>([
    ['text/plain', { 'content-type': 'text/plain' }, '{"texts":["a"]}', "got 'text/plain'"],
    [
      'a form, as curl -d sends it',
      { 'content-type': 'application/x-www-form-urlencoded' },
      '{"texts":["a"]}',
      "add -H 'content-type: application/json'",
    ],
    [
      'another charset',
      { 'content-type': 'application/json; charset=latin1' },
      '{}',
      'expected JSON in UTF-8',
    ],
    [
      'compressed as we do not read it',
      { 'content-encoding': 'br' },
      brotliCompressSync('{"texts":["a"]}'),
      "got 'br'",
    ],
  ])('of another type: %s', async (_what, headers, body, message) => {
    await expectRefused(running.client, mediaType(message, { headers, body }));
  });

  it.each<[string, OutgoingHttpHeaders, string]>([
    ['', {}, 'got Content-Length '],
    [
      ', its length not said',
      { 'content-length': undefined, 'transfer-encoding': 'chunked' },
      'got at least ',
    ],
  ])('over the limit%s', async (_what, headers, got) => {
    const body = { texts: ['x'.repeat(BODY_LIMIT)] };
    const message = `expected a body of at most ${BODY_LIMIT} bytes, ${got}`;
    await expectRefused(running.client, tooLarge(message, { headers, body }));
  });
});

describe('texts', () => {
  it.each<[string, object, string]>([
    ['missing', {}, 'texts: expected a list of strings, got nothing'],
    ['empty', { texts: [] }, 'texts: expected at least one string, got an empty list'],
    [
      'one, not in a list',
      { texts: 'a' },
      'texts: expected a list of strings, got string "a"; a single text is',
    ],
    ['a number among them', { texts: ['a', 7] }, 'texts[1]: expected a string, got number 7'],
    ['null among them', { texts: [null] }, 'texts[0]: expected a string, got null'],
    ['a list among them', { texts: [['a']] }, 'texts[0]: expected a string, got a list of 1'],
    ['no time for them', { texts: ['a'], timeoutMs: 0 }, 'timeoutMs: expected milliseconds above 0'],
    ['time in words', { texts: ['a'], timeoutMs: '1s' }, 'got string "1s"'],
    [
      'truncate in words',
      { texts: ['a'], truncate: 'no' },
      'truncate: expected true or false, got string "no"',
    ],
    [
      'for a model of tensors',
      { texts: ['a'], model: 'fraud_detector' },
      "model 'fraud_detector' takes tensors, not texts",
    ],
  ])('%s', async (_what, body, message) => {
    await expectRefused(running.client, invalid(message, { body }));
  });

  it.each([
    ['spma', "no model 'spma'; did you mean 'spam'?"],
    ['__proto__', "no model '__proto__'"],
    ['constructor', "no model 'constructor'"],
    ['../spam', "no model '../spam'"],
    ['x'.repeat(5_000), `no model '${'x'.repeat(128)}'`],
  ])('for the model %s, which there is not', async (model, message) => {
    await expectRefused(running.client, noModel(message, { body: { texts: ['a'], model } }));
  });

  it('too many', async () => {
    const body = { texts: Array<string>(MAX_ROWS + 1).fill('a') };
    await expectRefused(
      running.client,
      tooLarge('texts: expected at most 100 in a request, got 101', { body }),
    );
  });

  it('too long for a caller who wants none cut', async () => {
    const body = { texts: ['short', 'word '.repeat(200)], truncate: false };
    await expectRefused(running.client, tooLong('texts[1]', { body }));
  });
});

it('was never our own fault', async () => {
  expect((await running.client.get('/metrics')).text).not.toMatch(/status="5/);
});
