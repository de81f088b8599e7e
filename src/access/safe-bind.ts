import { isIPv4 } from 'node:net';
import { ConfigError, type Problem } from '../config/config-error.js';
import type { Config } from '../config/schema.js';

/**
 * Refuses to open a server without access control to other machines, unless the operator says that this is meant.
 *
 * @throws ConfigError naming each address and what to do
 */
export const requireSafeBind = ({ server, grpc, access }: Config): void => {
  if (access !== undefined || server.allowUnauthenticated) return;
  const problems = [
    ...problemOf('server.host', server.host),
    ...(grpc.enabled ? problemOf('grpc.host', grpc.host) : []),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
};

const problemOf = (path: string, host: string): readonly Problem[] =>
  isLoopback(host)
    ? []
    : [
        {
          path,
          expected: 'a loopback address',
          got: host,
          message:
            `${path}: '${host}' can be reached from other machines, and anybody there could call, load and unload models. ` +
            `Configure access (docs/access.md; \`carpool key <name>\` makes a key), or listen on 127.0.0.1, or, where ` +
            `something in front of it says who may call, set server.allowUnauthenticated: true`,
        },
      ];

/** Names other than `localhost` may lead anywhere. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
