import { parseArgs } from 'node:util';

/**
 * `--seconds 20 --dry`: options by name, numbers where the default is a number.
 *
 * @param defaults name -> default; every bench has `dry`: print, write nothing
 */
export const readOptions = (defaults) => {
  const options = Object.fromEntries(
    Object.entries({ dry: false, ...defaults }).map(([name, value]) => [
      name,
      {
        type: typeof value === 'boolean' ? 'boolean' : 'string',
        default: typeof value === 'boolean' ? value : String(value),
      },
    ]),
  );
  const { values } = parseArgs({ options, strict: true });
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof defaults[name] === 'number' ? Number(value) : value,
    ]),
  );
};
