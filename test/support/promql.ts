import { parser } from '@prometheus-io/lezer-promql';

/** What a query asks for. */
export interface Query {
  /** Metrics, each with the labels that its own matchers name. */
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  /** Labels that results are grouped or matched by. */
  readonly grouping: readonly string[];
}

/** Prometheus' own grammar. @throws where it is none of its queries */
export const readQuery = (text: string): Query => {
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  let isGrouping = false;
  parser.parse(text).iterate({
    enter: ({ type, from, to }) => {
      const words = text.slice(from, to);
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text}`);
      if (type.name === 'GroupingLabels') isGrouping = true;
      if (type.name === 'Identifier') selectors.push({ metric: words, labels: [] });
      if (type.name === 'LabelName') (isGrouping ? grouping : selectors.at(-1)!.labels).push(words);
    },
    leave: ({ type }) => {
      if (type.name === 'GroupingLabels') isGrouping = false;
    },
  });
  if (selectors.length === 0) throw new Error(`no metric in ${text}`);
  return { selectors, grouping };
};
