import type { ErrorCode } from '../errors.js';
import { MAX_MODEL_CHARS } from '../telemetry/access-log.js';
import type { Logger } from '../telemetry/logger.js';
import type { TrackedRequest } from '../tracked-request.js';
import { isAdmin, type Need } from './need.js';

/**
 * Writes one line for every admin call, allowed or refused, whether access control is on or not: `warn` where it came to
 * nothing, else `info`. `who` is the caller's name, else its address. The log's level neither hides them nor can a caller
 * who may set it: only a logger that is `silent` from the start keeps none.
 *
 * @param model where the request itself does not know it (yet)
 * @param outcome `ok`, or the code of the error that it was answered with
 */
export type Audit = (request: TrackedRequest, need: Need, outcome: ErrorCode | 'ok', model?: string) => void;

export const createAudit = (given: Logger): Audit => {
  const logger = given.child({ audit: true });
  if (given.level !== 'silent') logger.level = 'info';
  return (request, need, outcome, named) => {
    if (!isAdmin(need)) return;
    const { caller: who, method, path, model = named, requestId } = request;
    const line = {
      who,
      // What `locked` stands for, in the words of roles.
      action: need === 'locked' ? 'manage' : need,
      model: model?.slice(0, MAX_MODEL_CHARS),
      outcome,
      method,
      path: path.slice(0, 256),
      requestId,
    };
    if (outcome === 'ok') logger.info(line, 'audit');
    else logger.warn(line, 'audit');
  };
};
