export { createGateway, type Gateway, type GatewayDeps, type StartReport } from './gateway.js';
export { loadConfig } from './config/load.js';
export type { Config } from './config/schema.js';
export { CarpoolError, type ErrorCode } from './errors.js';
