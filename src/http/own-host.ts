import { isIP } from 'node:net';

/**
 * Tells whether a `Host` header can be this server's. A page whose name an attacker has pointed at our address
 * (DNS rebinding) is of our own origin to the browser; but it must call us by that name.
 *
 * Ours are: `localhost` and names below it, every IP literal (no DNS is asked for those), the name that the server
 * listens on, and `allowedHosts`.
 *
 * @param allowedHosts names without a port, in any case; `*` = any name
 */
export const createOwnHost = (
  listensOn: string,
  allowedHosts: readonly string[],
): ((header: string) => boolean) => {
  if (allowedHosts.includes('*')) return () => true;
  const names = new Set(['localhost', listensOn, ...allowedHosts].map(plain));
  return (header) => {
    if (!URL.canParse(`http://${header}`)) return false;
    const name = plain(new URL(`http://${header}`).hostname);
    return names.has(name) || name.endsWith('.localhost') || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
  };
};

/** As URL writes it, and without the dot that ends an absolute name. */
const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');
