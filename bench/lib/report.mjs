import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './machine.mjs';

const cell = (value) => (typeof value === 'number' ? String(Math.round(value * 100) / 100) : String(value));

/** @param rows objects with the same keys: the columns */
export const table = (rows) => {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map((column) => cell(row[column])))),
  ].join('\n');
};

/**
 * Prints a bench's result as Markdown and writes it, with its data as JSON, to bench/results/<date>-<name>.
 *
 * @param sections `[heading, table or text]`
 * @param isDry prints only
 */
export const report = ({ name, title, machine, sections, verdict, data, isDry }) => {
  const facts = Object.entries(machine).map(([key, value]) => `${key}: ${value}`);
  const text = [
    `# ${title}`,
    `    ${machine.command}`,
    facts.filter((fact) => !fact.startsWith('command')).join(' · '),
    ...sections.flatMap(([heading, body]) => [`## ${heading}`, body]),
    ...(verdict === undefined ? [] : [`**${verdict}**`]),
  ].join('\n\n');
  console.log(`\n${text}`);
  if (isDry) return;
  const folder = join(PROJECT, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${machine.date.slice(0, 10)}-${name}`);
  writeFileSync(`${file}.md`, `${text}\n`);
  writeFileSync(`${file}.json`, `${JSON.stringify({ machine, verdict, ...data }, null, 2)}\n`);
  console.log(`\nwritten: bench/results/${machine.date.slice(0, 10)}-${name}.md and .json`);
};
