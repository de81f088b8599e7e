/**
 * Headers as `OTEL_EXPORTER_OTLP_HEADERS` has them (W3C Baggage without properties): `name=value,name=value`, values
 * percent-encoded.
 *
 * @throws Error that does not show a value: they are credentials
 */
export const collectorHeaders = (text: string | undefined): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const [at, pair] of (text ?? '').split(',').entries()) {
    if (pair.trim() === '') continue;
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals)).trim();
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
      throw new Error(`expected name=value,name=value; entry ${at + 1} has no name of a header before a "="`);
    headers[name] = decoded(pair.slice(equals + 1).trim(), name);
  }
  return headers;
};

const decoded = (value: string, name: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error(`the value of ${name} is not percent-encoded`);
  }
};
