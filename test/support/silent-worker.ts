/** A lane that hangs while it starts: alive, and never ready. */
process.on('message', () => undefined);
