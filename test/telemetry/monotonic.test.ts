import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What tells the time of day; it jumps when somebody, or a time server, sets it. */
const WALL_CLOCK = /\bDate\.now\(|\bnew Date\(\)|\bprocess\.hrtime\b/;

/** Files that tell people when something was, and why that is no duration. */
const TELL_THE_DATE: Readonly<Record<string, string>> = {
  'src/gateway.ts': 'timestamps of gRPC statistics',
  'src/models/inference-stats.ts': 'when the last inference was, in the statistics',
  'src/models/loader.ts': 'when the model was loaded, in its description',
  'src/seeing.ts': 'when a span began, which a trace tells in time of day',
};

const filesOf = (folder: string): string[] =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file));

describe('clocks', () => {
  it('that are waited by and measured with are monotonic: the time of day is only told', () => {
    const users = [...filesOf('src'), ...filesOf('batcher')].filter((file) =>
      WALL_CLOCK.test(readFileSync(path.join(ROOT, file), 'utf8')),
    );
    expect(users.sort()).toEqual(Object.keys(TELL_THE_DATE).sort());
  });
});
