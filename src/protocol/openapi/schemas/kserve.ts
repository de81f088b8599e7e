import { z } from 'zod';

const given = (value: unknown): boolean => value !== undefined && value !== null;

export const kservePredictRequest = z
  .looseObject({
    instances: z.array(z.unknown()).min(1).describe('Rows, {name: value} or texts').nullish(),
    inputs: z.unknown().describe('A tensor, {name: tensor} or texts').optional(),
    signature_name: z.unknown().describe('Ignored').optional(),
  })
  .refine(({ instances, inputs }) => given(instances) !== given(inputs))
  .describe('Either instances or inputs');

export const kservePredictAnswer = z.union([
  z.object({ predictions: z.array(z.unknown()).describe('One a row') }),
  z.object({ outputs: z.unknown().describe('A tensor or {name: tensor}') }),
]);

export const kserveStatusAnswer = z.object({
  model_version_status: z.array(
    z.object({
      version: z.string(),
      state: z.literal('AVAILABLE'),
      status: z.object({ error_code: z.string(), error_message: z.string() }),
    }),
  ),
});
