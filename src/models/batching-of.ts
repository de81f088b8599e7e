import type { Batching } from '../config/batching.js';
import type { Config } from '../config/schema.js';
import type { Card } from './card.js';

/** A model's own entry in config.yaml wins over its card, which wins over what holds for all. */
export const batchingOf = (
  { batching, models }: Pick<Config, 'batching' | 'models'>,
  { name, card }: { readonly name: string; readonly card: Pick<Card, 'batching'> },
): Batching => ({ ...batching, ...card.batching, ...models.overrides.get(name)?.batching });
