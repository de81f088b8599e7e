import type { Isolation, OpenLink } from './link.js';
import { openProcessLink } from './process-link.js';
import { openThreadLink } from './thread-link.js';

/** Both kinds of lane run the same code. */
export const openLinkOf = (isolation: Isolation): OpenLink => {
  const entry = new URL('./worker.js', import.meta.url);
  return isolation === 'thread' ? openThreadLink(entry) : openProcessLink(entry);
};
