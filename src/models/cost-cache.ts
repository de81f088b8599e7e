import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { CostBasis, CostCoefficients } from '#batcher';
import { writeWhole } from './write-whole.js';

const schema = z.object({
  coefficients: z.object({
    alphaMs: z.number().min(0),
    betaMsPerToken: z.number().min(0),
    kneeTokens: z.number().min(0),
    quadMsPerTokenSquared: z.number().min(0),
  }),
});

/** Everything that a measured cost depends on. */
export interface CostKey {
  readonly sha256: string;
  /** What the coefficients are per. */
  readonly basis: CostBasis;
  readonly executionProviders: readonly string[];
  readonly intraOpThreads: number;
  readonly lanes: number;
  readonly isolation: string;
}

/** Measured costs on disk, one small file each, so that the next start need not measure. Losing it costs seconds. */
export class CostCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** undefined where nothing is known, or where the file is not what it should be. */
  async read(key: CostKey): Promise<CostCoefficients | undefined> {
    const text = await readFile(this.#fileOf(key), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const parsed = schema.safeParse(JSON.parse(text));
      return parsed.success ? parsed.data.coefficients : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws where the folder can't be written */
  async write(key: CostKey, coefficients: CostCoefficients): Promise<void> {
    const entry = { ...environment(), ...key, coefficients };
    await writeWhole(this.#fileOf(key), `${JSON.stringify(entry, null, 1)}\n`);
  }

  #fileOf(key: CostKey): string {
    const digest = createHash('sha256')
      .update(JSON.stringify([environment(), key]))
      .digest('hex');
    return join(this.#folder, `cost-${digest.slice(0, 32)}.json`);
  }
}

/** What a run's time depends on beside the model; the second, its numbers too. */
export const environment = (): { readonly cpu: string; readonly onnxruntime: string } => {
  const require = createRequire(import.meta.url);
  const { version } = z.object({ version: z.string() }).parse(require('onnxruntime-node/package.json'));
  return { cpu: cpus()[0]?.model ?? 'unknown', onnxruntime: version };
};
