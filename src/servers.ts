/** Something that listens, when it is to end. */
export interface Closable {
  /** Accepts nothing new, lets open requests finish, resolves when the last connection is gone. */
  closeGracefully(): Promise<void>;
  /** Cuts every connection. Resolves when all are gone. */
  closeNow(): Promise<void>;
}

/** Ends several as if they were one. */
export const closeTogether = (servers: readonly Closable[]): Closable => ({
  closeGracefully: async () => {
    await Promise.all(servers.map((server) => server.closeGracefully()));
  },
  closeNow: async () => {
    await Promise.all(servers.map((server) => server.closeNow()));
  },
});
