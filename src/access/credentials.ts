/** Longer ones are no key and no token of ours; nothing is computed for them. */
const MOST_CHARS = 8192;

/**
 * The key or token that a request carries: `Authorization: Bearer …`, as the clients of OpenAI, Hugging Face and
 * text-embeddings-inference send it, else `x-api-key`. Headers of HTTP and metadata of gRPC have the same names.
 *
 * @returns undefined where there is none, or none that can be right
 */
export const presentedIn = (
  authorization: string | undefined,
  apiKey: string | undefined,
): string | undefined => {
  const presented = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? apiKey?.trim();
  return presented === undefined || presented === '' || presented.length > MOST_CHARS ? undefined : presented;
};
