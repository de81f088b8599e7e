/** Says what to do about it; keeps Node's `code`. */
export const listenError = (
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
): NodeJS.ErrnoException => {
  const message = `cannot listen on ${host}:${port}: ${reasonOf(error)}`;
  return Object.assign(new Error(message, { cause: error }), { code: error.code ?? 'UNKNOWN' });
};

const reasonOf = (error: NodeJS.ErrnoException): string => {
  switch (error.code ?? '') {
    case 'EADDRINUSE':
      return 'the port is in use; choose another with CARPOOL_PORT or --set server.port=… (0 = any free port)';
    case 'EACCES':
      return 'no permission to use this port; those below 1024 need privileges';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address; set server.host (0.0.0.0 = all addresses)';
    case 'ENOTFOUND':
      return 'the host name is unknown; set server.host to an address of this machine';
    default:
      return error.message;
  }
};
