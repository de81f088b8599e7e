import { isErrorCode, messageOf } from '../errors.js';
import type { Config } from '../config/schema.js';

const codeIn = (error: unknown): string | undefined => {
  // Checked: the field is read as unknown and its type is looked at.
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return code;
  const inner = cause === undefined ? undefined : codeIn(cause);
  return inner ?? (typeof code === 'string' ? code : undefined);
};

const listenWords = (code: string, { host, port }: Config['server']): string | undefined => {
  const otherPort = 'choose another with --set server.port=9090 or CARPOOL_PORT=9090 (0 = any free port)';
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is already in use; ${otherPort}`;
    case 'EACCES':
      return `no permission to listen on port ${port} of ${host}; ${otherPort}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `server.host: expected an address of this machine, got "${host}"; 127.0.0.1 = this machine only, 0.0.0.0 = all`;
    default:
      return undefined;
  }
};

/**
 * Why the start failed, for the person who typed the command. Without a stack, except for what nobody foresaw: that
 * is our bug, and its stack is all there is to find it with.
 */
export const startupMessage = (error: unknown, config?: Config): string => {
  const code = codeIn(error);
  const words = code === undefined || config === undefined ? undefined : listenWords(code, config.server);
  if (words !== undefined) return words;
  const isForeseen = code === 'CONFIG_INVALID' || (isErrorCode(code) && code !== 'INTERNAL');
  if (isForeseen || (code !== undefined && /^E[A-Z]+$/.test(code))) return messageOf(error);
  return (error instanceof Error ? error.stack : undefined) ?? messageOf(error);
};
