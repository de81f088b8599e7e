import type { ModelInfo } from '../../models/model-info.js';
import { VERSION } from '../../version.js';

const POOLING = { lasttoken: 'last_token' } as const;

const labelMaps = ({ labels = ['LABEL_0'] }: ModelInfo): object => ({
  id2label: Object.fromEntries(labels.map((label, index) => [String(index), label])),
  label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
});

const modelType = (info: ModelInfo): object => {
  const { task, embedding } = info.card;
  if (task === 'rerank') return { reranker: labelMaps(info) };
  if (task !== 'embedding') return { classifier: labelMaps(info) };
  const { pooling } = embedding;
  return { embedding: { pooling: pooling === 'lasttoken' ? POOLING.lasttoken : pooling } };
};

/** Answer of `GET /info`. What is not known here is null. */
export const teiInfo = (info: ModelInfo, maxRequestRows: number): object => {
  const { card, batching, signature } = info;
  return {
    model_id: info.name,
    model_sha: card.sha256 ?? null,
    model_dtype: signature.outputs[0]?.dtype ?? 'float32',
    served_model_name: info.name,
    model_type: modelType(info),
    max_concurrent_requests: batching.maxQueue,
    max_input_length: card.text?.maxTokens ?? 512,
    max_batch_tokens: batching.maxBatchTokens,
    max_batch_requests: batching.maxBatch,
    max_client_batch_size: maxRequestRows,
    auto_truncate: card.text?.truncate ?? true,
    tokenization_workers: 1,
    version: VERSION,
    sha: null,
    docker_label: null,
  };
};
