/** Something that listens, when it is to end. */
export interface Closable {
  /** Accepts nothing new, lets open requests finish, resolves when the last connection is gone. */
  closeGracefully(): Promise<void>;
  /** Cuts every connection. Resolves when all are gone. */
  closeNow(): Promise<void>;
}

/**
 * Ends several as if they were one.
 *
 * @param servers waits for those that are about to listen, lest they do so when all is over
 */
export const closeTogether = (servers: () => Promise<readonly Closable[]>): Closable => ({
  closeGracefully: async () => {
    await Promise.all((await servers()).map((server) => server.closeGracefully()));
  },
  closeNow: async () => {
    await Promise.all((await servers()).map((server) => server.closeNow()));
  },
});
