import { loadConfig, type LoadedConfig } from '../config/load.js';
import type { Gateway } from '../gateway.js';
import type { CliHost, ConfigOptions } from './host.js';

/** @throws ConfigError */
export const loadCliConfig = ({ config, set = [] }: ConfigOptions, { env, cwd }: CliHost): LoadedConfig =>
  loadConfig({ file: config, set, env, cwd });

/** Closes a gateway whose failure was reported already; a failing close has nothing to add. */
export const closeQuietly = async (gateway: Gateway): Promise<'drained' | 'deadline' | 'failed'> => {
  try {
    return await gateway.close();
  } catch {
    return 'failed';
  }
};
