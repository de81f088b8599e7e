import { messageErrors } from '../errors.js';
import { named, type Operation } from '../operation.js';
import { hfAnswer, hfRequest } from '../schemas/huggingface.js';

const TEXT = 'You won a free prize, call now!';

const base = {
  method: 'post',
  tag: 'Hugging Face',
  body: named('HfRequest', hfRequest),
  otherBodies: { 'image/*': 'A JPEG, PNG or WebP, for image classifiers' },
  answer: named('HfAnswer', hfAnswer),
  errors: messageErrors('run'),
  runs: true,
} as const;

export const hfOperations: readonly Operation[] = [
  {
    ...base,
    paths: ['/'],
    summary: 'The model that fits what is asked for, else the default one',
    examples: [
      { name: 'text', body: { inputs: TEXT, parameters: { top_k: 2 } } },
      { name: 'pairs', body: { inputs: [{ text: 'See you', text_pair: 'at noon' }, TEXT] } },
      { name: 'zero-shot', body: { inputs: TEXT, parameters: { candidate_labels: ['sport', 'money'] } } },
      { name: 'similarity', body: { inputs: { source_sentence: 'One', sentences: ['Two', 'Three'] } } },
      { name: 'ranking', body: { inputs: { query: 'Who?', texts: ['Ada', 'Nobody'] } } },
    ],
  },
  {
    ...base,
    paths: ['/models/{model}'],
    summary: 'A model by its name',
    examples: [
      { name: 'entities', params: { model: 'entities' }, body: { inputs: 'Ada lives in London' } },
      { name: 'embeddings', params: { model: 'embedder' }, body: { inputs: ['One'], normalize: true } },
    ],
  },
  {
    ...base,
    paths: ['/models/{model}/pipeline/{task}', '/pipeline/{task}/{model}'],
    summary: 'A model by its name, for a task that has to be its own',
    examples: [
      { name: 'spam', params: { model: 'spam', task: 'text-classification' }, body: { inputs: [TEXT] } },
    ],
  },
];
