import type { ErrorShape } from '../../http/error-handler.js';

/** `{"error": "<message>"}`, with the status of the table. */
export const messageError: ErrorShape = ({ message }) => ({ body: { error: message } });
