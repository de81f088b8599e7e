/** HEALTHCHECK: liveness, as a supervisor would ask it. The image has no curl. */
const port = process.env.CARPOOL_PORT ?? '8080';
const reply = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2_500) }).catch(
  (error) => {
    console.error(String(error.cause ?? error));
    process.exit(1);
  },
);
process.exit(reply.ok ? 0 : 1);
