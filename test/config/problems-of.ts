import { ConfigError, type Problem } from '../../src/config/config-error.js';

/** Runs what must be refused and hands back the reasons. */
export const problemsOf = (run: () => unknown): readonly Problem[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('expected a ConfigError, got none');
};
