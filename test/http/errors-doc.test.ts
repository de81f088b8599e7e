import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { ERROR_TABLE } from '../../src/errors.js';

describe('docs/errors.md', () => {
  it('lists every code with its status and whether to retry, and nothing else', async () => {
    const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| (\S.*) \| (\S.*) \|$/gm)].map(
      ([, code, status, retry]) => [code, Number(status), retry === 'yes'],
    );
    const table = Object.entries(ERROR_TABLE).map(([code, { http, retryable }]) => [code, http, retryable]);
    expect(documented.sort()).toEqual(table.sort());
  });
});
