export const ACTIONS = ['infer', 'read', 'manage', 'debug'] as const;

/**
 * What a caller may do with a model: `infer` runs it, `read` shows what it is and how it does, `manage` loads, changes
 * and unloads it, `debug` shows its queue and its decisions.
 */
export type Action = (typeof ACTIONS)[number];

/**
 * What a route asks of its caller: an action on the model that its path names, or on any where it names none (then the
 * model is checked where it is known). `public`: nothing. `metrics`: `read` of every model, unless they are public.
 * `locked`: `manage` of every model.
 */
export type Need = Action | 'public' | 'metrics' | 'locked';

/** Calls that leave a line in the audit log, whatever comes of them. */
export const isAdmin = (need: Need): boolean => need === 'manage' || need === 'debug' || need === 'locked';
