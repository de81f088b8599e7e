import { hashOfKey, newKey } from '../access/key-hash.js';
import { CALLER_NAME } from '../config/access.js';
import { ended, type CliHost, type Ending } from './host.js';

export interface KeyOptions {
  /** With commas between. */
  readonly roles: string;
}

/** `carpool key <name>`: makes a key. It is printed once and kept nowhere; what is kept is its hash. */
export const keyCommand = (name: string, { roles }: KeyOptions, { stdout, stderr }: CliHost): Ending => {
  if (!CALLER_NAME.test(name)) {
    stderr.write(
      `expected a name of 1 to 128 letters, digits and "_ . @ + -", got ${JSON.stringify(name)}\n`,
    );
    return ended(2);
  }
  const key = newKey();
  const names = roles.split(',').map((role) => JSON.stringify(role.trim()));
  stdout.write(`${key}

This is the key of ${name}; it is not shown again. Put under access.keys of the config, or under keys of access.keysFile:

  - name: ${JSON.stringify(name)}
    hash: ${hashOfKey(key)}
    roles: [${names.join(', ')}]
`);
  return ended(0);
};
