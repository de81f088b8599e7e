import type { OutgoingHttpHeaders } from 'node:http';
import type { QuotaState } from './quotas.js';

/**
 * The two headers of draft-ietf-httpapi-ratelimit-headers-10, every quota by its name, and the three of its older
 * versions, which many clients still read, for the quota that is nearest to its end:
 *
 *     RateLimit-Policy: "requests-per-minute";q=600;w=60, "rows-per-minute";q=6000;w=60
 *     RateLimit: "requests-per-minute";r=599;t=60, "rows-per-minute";r=5990;t=42
 *     RateLimit-Limit: 600 · RateLimit-Remaining: 599 · RateLimit-Reset: 60
 */
export const rateLimitHeaders = (states: readonly QuotaState[]): OutgoingHttpHeaders => {
  const [first, ...rest] = states;
  if (first === undefined) return {};
  const tightest = rest.reduce(
    (least, state) => (shareLeft(state) < shareLeft(least) ? state : least),
    first,
  );
  return {
    'ratelimit-policy': states
      .map(({ quota }) => `"${quota.name}";q=${quota.points};w=${quota.windowSeconds}`)
      .join(', '),
    ratelimit: states
      .map(({ quota, remaining, resetSeconds }) => `"${quota.name}";r=${remaining};t=${resetSeconds}`)
      .join(', '),
    'ratelimit-limit': tightest.quota.points,
    'ratelimit-remaining': tightest.remaining,
    'ratelimit-reset': tightest.resetSeconds,
  };
};

const shareLeft = ({ quota, remaining }: QuotaState): number => remaining / quota.points;
