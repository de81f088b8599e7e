import type { Operation } from '../operation.js';
import { hfOperations } from './huggingface.js';
import { kserveOperations } from './kserve.js';
import { oipOperations } from './oip.js';
import { openAiOperations } from './openai.js';
import { ownOperations } from './own.js';
import { serverOperations } from './server.js';
import { teiOperations } from './tei.js';

/** What the gateway answers. In this order the examples of one can be sent after those of the other. */
export const OPERATIONS: readonly Operation[] = [
  ...ownOperations,
  ...teiOperations,
  ...openAiOperations,
  ...hfOperations,
  ...kserveOperations,
  ...serverOperations,
  ...oipOperations,
];
