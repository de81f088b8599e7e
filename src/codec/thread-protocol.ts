import type { WireError } from '../errors.js';
import type { JobInput, JobName } from './jobs.js';

/** The messages between the event loop and the codec thread. One reply for each request, in order. */
export type JobMessage = {
  [J in JobName]: { readonly id: number; readonly job: J; readonly input: JobInput<J> };
}[JobName];

export type JobReply =
  { readonly id: number; readonly ok: unknown } | { readonly id: number; readonly error: WireError };
