import { LANES_LOST, nextAct, type Act } from './acts.js';
import { Client } from './client.js';
import type { SeededRandom } from './seeded-random.js';
import { judge } from './verdict.js';

/** With so many problems more of them tell nothing new, and a broken gateway may take minutes for each. */
const ENOUGH_PROBLEMS = 100;

export interface StormReport {
  /** `ask 200` -> 5123: every ending of every kind of act. */
  readonly tally: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  /** Good requests that ended because they had lost their lane too often. */
  readonly lanesLost: number;
}

export interface StormOptions {
  readonly port: number;
  readonly requests: number;
  readonly clients: number;
  readonly random: SeededRandom;
  readonly lanesDie: boolean;
}

/** Many clients, each doing one act after the other until all are done; every one of them is judged. */
export const storm = async ({
  port,
  requests,
  clients,
  random,
  lanesDie,
}: StormOptions): Promise<StormReport> => {
  const tally: Record<string, number> = {};
  const problems: string[] = [];
  let lanesLost = 0;
  // Made in one go, so that a seed brings back all of them in their order, whoever performs which.
  const acts = Array.from({ length: requests }, () => nextAct(random)).entries();

  const perform = async (client: Client, index: number, act: Act): Promise<void> => {
    try {
      const { label, problem } = judge(act, await client.perform(act));
      const key = `${act.kind} ${label}`;
      tally[key] = (tally[key] ?? 0) + 1;
      if (problem === undefined) return;
      if (lanesDie && act.kind === 'ask' && LANES_LOST.includes(label) && problem.includes('lane was lost'))
        lanesLost++;
      else problems.push(`#${index} ${act.kind}: ${problem}`);
    } catch (error) {
      problems.push(`#${index} ${act.kind}: ${String(error)}`);
    }
  };

  const work = async (): Promise<void> => {
    const client = new Client(port);
    for (const [index, act] of acts) {
      if (problems.length >= ENOUGH_PROBLEMS) break;
      await perform(client, index, act);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: clients }, work));
  return { tally, problems, lanesLost };
};
