import { nearest } from '../config/nearest.js';
import type { Config } from '../config/schema.js';
import type { StartReport } from '../gateway.js';

/**
 * Settings that are right in themselves and have no effect on what was loaded: most likely misspelt, but a model may
 * still be loaded under that name later, so they are no errors.
 */
export const notesOn = ({ models: settings }: Config, { models, failed }: StartReport): string[] => {
  const names = [...models, ...failed].map(({ name }) => name);
  const meant = (name: string): string => {
    const near = nearest(name, names);
    return near === undefined ? '' : `; did you mean "${near}"?`;
  };
  const notes = [...settings.overrides.keys()]
    .filter((name) => !names.includes(name))
    .map((name) => `models.${name} has settings for a model that is not loaded${meant(name)}`);
  const { default: byDefault } = settings;
  if (byDefault !== undefined && !names.includes(byDefault))
    notes.push(`models.default is "${byDefault}", which is not loaded${meant(byDefault)}`);
  if (models.length === 0) notes.push(`no model is loaded; models.root is ${settings.root}`);
  return notes;
};
