import { z } from 'zod';

const schema = z.looseObject({ id2label: z.record(z.string(), z.string()).optional() });

/** Class names by index from `id2label` of a Hugging Face `config.json`; undefined where there is none. */
export const labelsOf = (text: string | undefined): string[] | undefined => {
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(safeJson(text));
  const byId = parsed.success ? parsed.data.id2label : undefined;
  if (byId === undefined) return undefined;
  const labels = Object.keys(byId).map((_, id) => byId[String(id)]);
  return labels.length > 0 && labels.every((label) => label !== undefined) ? labels : undefined;
};

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
