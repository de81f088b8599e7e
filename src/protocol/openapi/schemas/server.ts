import { z } from 'zod';
import { ERROR_TABLE, type ErrorCode } from '../../../errors.js';

const isCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_TABLE, code);

export const healthAnswer = z.object({
  status: z.string().describe('ok, starting, draining, …'),
  detail: z.string().describe('The same in a sentence').optional(),
  models: z.record(z.string(), z.string()).optional(),
});

export const ownError = z.object({
  error: z.object({
    code: z.enum(Object.keys(ERROR_TABLE).filter(isCode)),
    message: z.string(),
    requestId: z.string().optional(),
  }),
});

export const messageOnly = z.object({ error: z.string() });

export const teiErrorBody = z.object({
  error: z.string(),
  error_type: z.enum(['Overloaded', 'Backend', 'Validation', 'Empty', 'Unhealthy']),
});

export const openAiErrorBody = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});
