import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gateOf } from '../../src/access/create-gate.js';
import type { Gate } from '../../src/access/gate.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { tempFolder } from '../support/start-gateway.js';
import { AUDIENCE, ISSUER, NOW_S } from './jwt-tokens.js';
import { rolesInput } from './support.js';

/** In the variable `SECRET`; `SHORT` holds one that is too short. */
export const SECRET = 'a secret of well over thirty-two bytes';

/** @param jwt over `access.jwt` @param files lie beside the configuration: name -> text */
export const gateWith = async (jwt: object, files: Readonly<Record<string, string>> = {}): Promise<Gate> => {
  const folder = await tempFolder();
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder.path, name), text);
    const input = { roles: rolesInput(), jwt: { issuer: ISSUER, audience: AUDIENCE, ...jwt } };
    const { access } = resolveConfig({ access: input }, '/base');
    return gateOf(access, {
      baseDir: folder.path,
      env: { SECRET, SHORT: 'short' },
      now: () => 0,
      unixNow: () => NOW_S * 1000,
      logger: silentLogger(),
    });
  } finally {
    await folder.remove();
  }
};
