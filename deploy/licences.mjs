/**
 * Licences of everything that is installed with the package, from the lock file: fails on one that is not allowed.
 *   node deploy/licences.mjs [--write: THIRD-PARTY.md anew]
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PROJECT = new URL('../', import.meta.url);
const read = (name) => readFileSync(new URL(name, PROJECT), 'utf8');

/** Permissive ones, which ask for a notice at most. */
const ALLOWED = new Set([
  'Apache-2.0',
  'MIT',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
]);
/** Weak copyleft, allowed for these alone: libvips is a shared library of its own file, which anybody can replace. */
const SHARED_LIBRARY = /^@img\/sharp-(libvips|win32|wasm32)/;

/** Of an SPDX expression without nested parentheses: one side of OR will do, AND needs all. */
const isAllowed = (expression, allowed) =>
  expression
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => allowed.has(licence.trim())));

const packages = Object.entries(JSON.parse(read('package-lock.json')).packages)
  .filter(([path, { dev }]) => path !== '' && dev !== true)
  .map(([path, { version, license = 'none', optional = false, name }]) => ({
    name: name ?? path.replace(/^.*node_modules\//, ''),
    version,
    license,
    optional,
  }));

const wrong = packages.filter(({ name, license }) => {
  const allowed = SHARED_LIBRARY.test(name) ? new Set([...ALLOWED, 'LGPL-3.0-or-later']) : ALLOWED;
  return !isAllowed(license, allowed);
});

const page = () => {
  const byLicence = new Map();
  for (const { name, version, license, optional } of packages) {
    const lines = byLicence.get(license) ?? new Set();
    byLicence.set(license, lines.add(`${name} ${version}${optional ? ' (optional)' : ''}`));
  }
  const sections = [...byLicence]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([licence, names]) => `## ${licence}\n\n${[...names].sort().join(', ')}`);
  return `# Third-party packages

What \`npm install carpool\` installs besides, by licence; the texts lie in each package's folder. Made by
\`node deploy/licences.mjs --write\` from the lock file. Optional ones are those of one platform each.

libvips (LGPL-3.0-or-later) decodes images: a shared library in a package of its own, loaded by sharp, which you may replace.

${sections.join('\n\n')}
`;
};

for (const { name, version, license } of wrong)
  console.error(`${name} ${version}: ${license} is not allowed`);
if (process.argv.includes('--write')) writeFileSync(new URL('THIRD-PARTY.md', PROJECT), page());
else if (wrong.length === 0 && read('THIRD-PARTY.md') !== page()) {
  console.error('THIRD-PARTY.md is out of date: node deploy/licences.mjs --write');
  process.exitCode = 1;
}
if (wrong.length > 0) process.exitCode = 1;
else console.log(`${packages.length} packages, every licence allowed`);
