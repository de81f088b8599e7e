import { goldenRequests } from '../chaos/known-requests.js';
import { SeededRandom } from '../chaos/seeded-random.js';
import type { Attack } from './attack.js';
import { createGrpcAttacker } from './grpc-attack.js';
import { httpAttack } from './http-attack.js';
import { HttpAttacker } from './http-attacker.js';
import { attackHttp2 } from './http2-attack.js';
import type { Verdict } from './judge.js';
import { rawAttack } from './raw-attack.js';
import type { Target } from './targets.js';

export interface CampaignOptions {
  readonly port: number;
  readonly grpcPort: number;
  readonly targets: readonly Target[];
  readonly bodyLimitBytes: number;
  readonly pictures: readonly Buffer[];
  readonly seed: number;
  /** Numbers of the first request and of the one after the last: each has random numbers of its own. */
  readonly from: number;
  readonly to: number;
  /** Connections at a time. */
  readonly clients: number;
}

export interface CampaignReport {
  /** `POST /predict: 400` -> how often */
  readonly tally: Readonly<Record<string, number>>;
  /** Each with the number of its request. */
  readonly problems: readonly string[];
  /** Right answers that good callers got in between. */
  readonly goodAnswers: number;
}

/** Models that good callers use too. */
export const GOOD_MODELS: readonly string[] = ['spam', 'fraud_detector'];
/** One request in so many is a good one. */
const GOOD_EVERY = 20;
const PRIME = 7_919;

/**
 * Sends the requests `from` to `to`, hostile ones and good ones, and judges every answer. Equal seeds send equal requests,
 * whatever was sent before.
 */
export const campaign = async (options: CampaignOptions): Promise<CampaignReport> => {
  const { port, grpcPort, targets, bodyLimitBytes, pictures, seed } = options;
  const tally: Record<string, number> = {};
  const problems: string[] = [];
  const goldens = goldenRequests();
  const grpc = createGrpcAttacker(grpcPort, GOOD_MODELS);
  let next = options.from;

  const note = (index: number, kind: string, { label, problem }: Verdict, attack?: Attack): void => {
    const key = `${kind}: ${label}`;
    tally[key] = (tally[key] ?? 0) + 1;
    if (problem === undefined) return;
    const sent = attack === undefined ? '' : `\n  ${JSON.stringify(attack.bytes.toString('latin1', 0, 700))}`;
    problems.push(`#${index} ${kind}: ${problem}${sent}`);
  };

  const perform = async (index: number, http: HttpAttacker): Promise<void> => {
    const good = goldens[(index / GOOD_EVERY) % goldens.length];
    if (good !== undefined) {
      note(index, 'good', await http.ask(good));
      return;
    }
    const random = new SeededRandom(seed + index * PRIME);
    switch (random.weighted({ http: 75, raw: 10, grpc: 13, http2: 2 })) {
      case 'grpc':
        note(index, 'gRPC', await grpc.attack(random));
        break;
      case 'http2':
        note(index, 'HTTP/2', await attackHttp2(grpcPort, random));
        break;
      case 'http': {
        const attack = httpAttack({ targets, bodyLimitBytes, pictures, models: GOOD_MODELS }, random);
        note(index, attack.kind, await http.attack(attack), attack);
        break;
      }
      case 'raw': {
        const attack = rawAttack(random);
        note(index, attack.kind, await http.attack(attack), attack);
      }
    }
  };

  const work = async (): Promise<void> => {
    const http = new HttpAttacker(port);
    while (next < options.to) await perform(next++, http);
    http.close();
  };
  await Promise.all(Array.from({ length: options.clients }, work));
  grpc.close();
  return { tally, problems, goodAnswers: tally['good: right'] ?? 0 };
};
