/**
 * OpenMetrics 1.0 of Prometheus' text format: a counter is named without its `_total`, there are no empty lines, and the
 * end is marked. prom-client has a mode for it, but one of the whole registry, which takes the suffix from the counters'
 * own names.
 *
 * @param exemplars what comes behind a line: its name and labels -> text
 */
export const openMetricsOf = (text: string, exemplars: ReadonlyMap<string, string>): string => {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('# ')) lines.push(headOf(line));
    else lines.push(line + (exemplars.get(line.slice(0, line.lastIndexOf(' '))) ?? ''));
  }
  return `${lines.join('\n')}\n# EOF\n`;
};

const headOf = (line: string): string =>
  line.replace(/^(# (?:HELP|TYPE) \S+?)_total(?= )/, '$1').replace(/^# HELP .*/, escapedQuotes);

const escapedQuotes = (help: string): string => help.replaceAll('"', '\\"');

/**
 * Whether an `Accept` header wants OpenMetrics rather than Prometheus' text, as Prometheus itself does:
 * `application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,…`
 */
export const wantsOpenMetrics = (accept: string | undefined): boolean => {
  if (accept === undefined) return false;
  const own = qualityOf(accept, 'application/openmetrics-text');
  return own > 0 && own >= qualityOf(accept, 'text/plain');
};

/** Of the types named; wildcards want nothing special. */
const qualityOf = (accept: string, type: string): number =>
  accept.split(',').reduce((best, entry) => {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    if (name !== type) return best;
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return Math.max(best, quality === undefined ? 1 : Number(quality) || 0);
  }, 0);
