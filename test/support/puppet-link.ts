import type { LinkEvents, OpenLink } from '../../src/executor/link.js';
import type { LaneOutput, LaneReply, LaneRequest } from '../../src/executor/protocol.js';

/** The far end of one lane, played by a test. */
export class PuppetLink {
  /** Everything posted to it, in order. */
  readonly requests: LaneRequest[] = [];
  discarded = false;
  readonly #events: LinkEvents;
  #gone = false;

  constructor(events: LinkEvents) {
    this.#events = events;
  }

  /** What waits for a reply, oldest first, by key. */
  get types(): string[] {
    return this.requests.map((request) =>
      request.type === 'load'
        ? `load ${request.spec.key}`
        : 'key' in request
          ? `${request.type} ${request.key}`
          : request.type,
    );
  }

  reply(reply: LaneReply): void {
    if (!this.#gone) this.#events.onReply(reply);
  }

  ready(): void {
    this.reply({ type: 'ready' });
  }

  die(reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#events.onExit(reason);
  }

  /** Answers a request as a worker would that opens every model and gives every run back. */
  answer(request: LaneRequest): void {
    const { id } = request;
    if (request.type === 'load') this.reply({ type: 'loaded', id, signature: { inputs: [], outputs: [] } });
    else if (request.type === 'run') this.reply({ type: 'ran', id, output: EMPTY });
    else this.reply({ type: 'ok', id });
    if (request.type === 'stop') this.die('stopped');
  }
}

const EMPTY: LaneOutput = { outputs: [], runMs: 1, laneMs: 1 };

export interface PuppetOptions {
  /** Called for each link that is opened; may throw. `count` is 1 for the first. */
  readonly onOpen?: (link: PuppetLink, count: number) => void;
  /** Called for each request; by default it is answered in a later microtask. */
  readonly onPost?: (request: LaneRequest, link: PuppetLink) => void;
}

const startAtOnce = (link: PuppetLink): void => queueMicrotask(() => link.ready());
const answerAtOnce = (request: LaneRequest, link: PuppetLink): void =>
  queueMicrotask(() => link.answer(request));

/** A way to open lanes that start at once and answer everything, except where the test takes over. */
export const puppetOpen = ({ onOpen = startAtOnce, onPost = answerAtOnce }: PuppetOptions = {}): {
  open: OpenLink;
  links: PuppetLink[];
} => {
  const links: PuppetLink[] = [];
  const open: OpenLink = (events) => {
    const link = new PuppetLink(events);
    links.push(link);
    onOpen(link, links.length);
    return {
      pid: undefined,
      post: (request) => {
        link.requests.push(request);
        onPost(request, link);
      },
      discard: () => {
        link.discarded = true;
      },
    };
  };
  return { open, links };
};
