import { createGateway } from '../../src/gateway.js';
import { silentLogger, type Logger, type LogFn } from '../../src/telemetry/logger.js';
import type { HostReply, HostRequest } from './gateway-process.js';

/**
 * A gateway in a process of its own, told what to do by its parent. It never calls process.exit: a gateway that leaves
 * something open after `close` keeps this process from ending, and the parent notices.
 */
const faults: string[] = [];
let lanesLost = 0;

const onError: LogFn = (fields: object | string, message?: string): void => {
  if (message === 'a lane was lost and is replaced') lanesLost++;
  else faults.push(`${message ?? ''} ${JSON.stringify(fields, errorsToo)}`);
};
const errorsToo = (_key: string, value: unknown): unknown =>
  value instanceof Error ? (value.stack ?? value.message) : value;

const logger: Logger = { ...silentLogger(), error: onError, fatal: onError, child: () => logger };
const gateway = createGateway(JSON.parse(process.argv[2] ?? '{}') as object, { logger });

const reply = (message: HostReply): void => void process.send?.(message);

process.on('message', (request: HostRequest) => {
  if (request.type === 'state')
    reply({ type: 'state', id: request.id, state: { lanePids: gateway.lanePids(), lanesLost, faults } });
  else
    void gateway.close().then((outcome) => {
      reply({ type: 'closed', id: request.id, outcome });
      process.disconnect();
    });
});

const { port, grpc } = await gateway.listen();
reply({ type: 'listening', port, grpcPort: grpc?.port ?? 0 });
