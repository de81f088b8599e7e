import type { IncomingMessage } from 'node:http';

const GRANT = Symbol('carpool.continue');

interface Asking {
  [GRANT]?: (() => void) | undefined;
}

/** A client asked before sending its body (`Expect: 100-continue`): it is told to when somebody wants to read it. */
export const deferContinue = (req: IncomingMessage & Asking, grant: () => void): void => {
  req[GRANT] = grant;
};

/** Tells a client that waits with its body to send it, once. */
export const grantContinue = (req: IncomingMessage & Asking): void => {
  req[GRANT]?.();
  req[GRANT] = undefined;
};
