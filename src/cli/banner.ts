import type { Config } from '../config/schema.js';
import type { StartReport } from '../gateway.js';
import { curlLine } from './curl.js';
import { alignColumns, failureText, modelColumns, oneLine } from './model-line.js';
import { notesOn } from './notes.js';

export interface BannerFacts {
  readonly version: string;
  readonly url: string;
  /** Where it listens for gRPC, if it does. */
  readonly grpc?: { readonly host: string; readonly port: number } | undefined;
  readonly report: StartReport;
  readonly config: Config;
  /** The config file; undefined = defaults. */
  readonly file: string | undefined;
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const lanesText = ({ count, isolation, intraOpThreads }: StartReport['lanes']): string =>
  `${plural(count, `${isolation} lane`)} × ${plural(intraOpThreads, 'intra-op thread')}`;

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];

/** What `serve` prints once it listens: where, which models with their inputs, how many lanes, one line to try. */
export const renderBanner = ({ version, url, grpc, report, config, file }: BannerFacts): string => {
  const { models, failed, lanes } = report;
  return [
    `carpool ${version} listens on ${url}`,
    ...section('models', alignColumns(models.map(modelColumns))),
    ...section('failed', alignColumns(failed.map((model) => [oneLine(model.name), failureText(model)]))),
    ...section('notes', notesOn(config, report)),
    ...(grpc === undefined ? [] : [`grpc    ${grpc.host}:${grpc.port}`]),
    `lanes   ${lanesText(lanes)}`,
    `config  ${file ?? 'defaults (no config.yaml here)'}`,
    `try     ${curlLine(url, models, config)}`,
    '',
  ].join('\n');
};
