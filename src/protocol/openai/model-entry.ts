import type { ModelInfo } from '../../models/model-info.js';

export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  /** Seconds since 1970: when it was loaded. */
  readonly created: number;
  readonly owned_by: string;
}

/** A model as OpenAI's `GET /v1/models` lists it. */
export const modelEntry = ({ name, loadedAt }: Pick<ModelInfo, 'name' | 'loadedAt'>): ModelEntry => ({
  id: name,
  object: 'model',
  created: Math.floor(Date.parse(loadedAt) / 1000),
  owned_by: 'carpool',
});
