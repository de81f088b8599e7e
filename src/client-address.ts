import { BlockList, isIP } from 'node:net';

/** False: nobody; a number: so many proxies stand before us; a list: addresses and CIDR blocks of proxies. */
export type TrustProxy = false | number | readonly string[];

/** @param forwardedFor the `X-Forwarded-For` header, its lines joined by commas */
export type ClientAddress = (peer: string, forwardedFor: string | undefined) => string;

/**
 * Whom a connection speaks for. Each proxy adds on the right whom it heard from, so the header is read from there, and
 * only as far as those who wrote it are trusted (as Express's `trust proxy`, by its `proxy-addr`, does it):
 *
 *     X-Forwarded-For: made-up, 203.0.113.7, 10.0.0.9     ◀── peer 10.0.0.2
 *                                └─ the caller   └─ trusted ────┘
 *
 * What is no address ends the walk: then it is the last one that was trusted. Addresses come back without port and
 * brackets, IPv4 in its own form, IPv6 as its /64 block: a subscriber owns one whole, and would be as many callers.
 *
 * Own code: `proxy-addr` is no dependency of ours, knows nothing of ports, and gives back whatever the header says.
 */
export const createClientAddress = (trust: TrustProxy): ClientAddress => {
  if (trust === false || trust === 0) return (peer) => blockOf(plain(peer));
  const isTrusted = typeof trust === 'number' ? (_: string, hop: number) => hop < trust : trustOf(trust);
  return (peer, forwardedFor) => {
    let address = plain(peer);
    const hops = forwardedFor === undefined ? [] : forwardedFor.split(',').slice(-MOST_HOPS).reverse();
    for (const [hop, text] of hops.entries()) {
      if (!isTrusted(address, hop)) break;
      const next = plain(text.trim());
      if (isIP(next) === 0) break;
      address = next;
    }
    return blockOf(address);
  };
};

/** @returns `undefined` where it is neither an address nor a CIDR block */
export const parseBlock = (text: string): Block | undefined => {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const most = version === 6 ? 128 : 32;
  if (prefix === undefined) return { address, family, prefix: most };
  const bits = Number(prefix);
  return /^\d{1,3}$/.test(prefix) && bits <= most ? { address, family, prefix: bits } : undefined;
};

export interface Block {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/** Nobody has more proxies in a row; a client may write more addresses than that into the header. */
const MOST_HOPS = 32;

const trustOf = (texts: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const block of texts.map(parseBlock))
    if (block !== undefined) list.addSubnet(block.address, block.prefix, block.family);
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
};

/** `[::1]:443` -> `::1`, `1.2.3.4:5` -> `1.2.3.4`, `::ffff:1.2.3.4` -> `1.2.3.4`. */
const plain = (text: string): string => {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
};

const blockOf = (address: string): string => {
  if (isIP(address) !== 6) return address;
  // URL writes every address in one way; a zone (`%eth0`) is no part of a block.
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`);
  const [left = '', right] = hostname.slice(1, -1).split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return `${groups.slice(0, 4).join(':')}::/64`;
};
