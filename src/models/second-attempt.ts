import { CarpoolError, codeOf, messageOf } from '../errors.js';
import { isHung } from '../executor/lane-hung.js';

/**
 * Loads a model, once more where a lane died meanwhile: that may have been ended by somebody else. One more is put down to
 * the model, and so is one that hung: each of these may cost a thread for ever.
 * @throws MODEL_LOAD_FAILED, and whatever `attempt` throws that is no lost lane
 */
export const withSecondAttempt = async <T>(file: string, attempt: () => Promise<T>): Promise<T> => {
  const failed = (reason: string): CarpoolError =>
    new CarpoolError('MODEL_LOAD_FAILED', `${file}: ${reason}`);
  try {
    return await attempt();
  } catch (error) {
    if (isHung(error)) throw failed(messageOf(error));
    if (!laneDied(error)) throw error;
  }
  try {
    return await attempt();
  } catch (error) {
    if (!laneDied(error)) throw error;
    throw failed(`${messageOf(error)} while loading it, as at the first attempt`);
  }
};

/** The second: its place was taken by a lane that does not have the model yet. */
const laneDied = (error: unknown): boolean => ['WORKER_LOST', 'MODEL_UNAVAILABLE'].includes(codeOf(error));
