import { readBody } from '../../http/body.js';
import { requireJson } from '../../http/content-type.js';
import { sendJson } from '../../http/reply.js';
import type { Handler, Route } from '../../http/router.js';
import { LOG_LEVELS, type LogLevelSwitch } from '../../telemetry/log-level.js';
import { quoted } from '../json/describe.js';
import { parseJson } from '../json/parse-json.js';
import { objectBody, optionalCount, refuse, requiredText } from './fields.js';

/** A day: longer than anybody looks for a fault. */
const LONGEST_MS = 86_400_000;
const MAX_BODY_BYTES = 4096;

/** `GET` and `PUT /debug/log-level`: `{"level": "debug", "forMs": 600000}`; without `forMs` it stays. */
export const logLevelRoute = (
  logLevel: LogLevelSwitch,
  guardAdmin: (handler: Handler) => Handler,
  { bodyTimeoutMs }: { readonly bodyTimeoutMs: number },
): Route => ({
  path: '/debug/log-level',
  // The log is everybody's: a right to debug some models is none to silence it.
  needs: { get: 'debug', put: 'locked' },
  get: guardAdmin((_req, res) => {
    sendJson(res, 200, logLevel.state, { 'cache-control': 'no-store' });
  }),
  put: guardAdmin(async (req, res, { caller, requestId }) => {
    requireJson(req);
    const { level, forMs } = parseLogLevel(
      parseJson(await readBody(req, { limitBytes: MAX_BODY_BYTES, timeoutMs: bodyTimeoutMs })),
    );
    logLevel.set(level, forMs, { by: 'api', caller, requestId });
    sendJson(res, 200, logLevel.state, { 'cache-control': 'no-store' });
  }),
});

/** Body of `PUT /debug/log-level`. @throws CarpoolError INVALID_REQUEST */
export const parseLogLevel = (
  body: unknown,
): { readonly level: string; readonly forMs: number | undefined } => {
  const object = objectBody(body, ['level', 'forMs']);
  const asked = requiredText(object, 'level');
  const level = LOG_LEVELS.find((each) => each === asked);
  if (level === undefined)
    throw refuse('level', `expected one of ${LOG_LEVELS.join(', ')}; got ${quoted(asked)}`);
  const forMs = optionalCount(object, 'forMs');
  if (forMs !== undefined && forMs > LONGEST_MS)
    throw refuse('forMs', `expected milliseconds up to ${LONGEST_MS}, a day; got ${forMs}`);
  return { level, forMs };
};
