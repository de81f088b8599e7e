/**
 * The messages of inference.proto as proto-loader gives and takes them: every field of a request is there, 64-bit
 * integers come as decimal strings. Held against the .proto by the tests that talk to the server.
 */

type Integer = string | number;

export interface NamedModel {
  readonly name: string;
  readonly version: string;
}

/** `parameter_choice` names the one member that is set. */
export interface InferParameter {
  readonly parameter_choice?: string;
  readonly bool_param?: boolean;
  readonly int64_param?: string;
  readonly string_param?: string;
  readonly double_param?: number;
  readonly uint64_param?: string;
}

export type ParameterMap = Readonly<Record<string, InferParameter>>;

export interface InferTensorContents {
  readonly bool_contents: readonly boolean[];
  readonly int_contents: readonly number[];
  readonly int64_contents: readonly Integer[];
  readonly uint_contents: readonly number[];
  readonly uint64_contents: readonly Integer[];
  readonly fp32_contents: readonly number[];
  readonly fp64_contents: readonly number[];
  readonly bytes_contents: readonly Uint8Array[];
}

export interface InferInputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly parameters: ParameterMap;
  readonly contents: InferTensorContents | null;
}

export interface ModelInferRequest {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters: ParameterMap;
  readonly inputs: readonly InferInputTensor[];
  readonly outputs: readonly { readonly name: string; readonly parameters: ParameterMap }[];
  readonly raw_input_contents: readonly Uint8Array[];
}

export interface InferOutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly contents?: Partial<InferTensorContents>;
}

export interface ModelInferResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly InferOutputTensor[];
  readonly raw_output_contents: readonly Uint8Array[];
}

export interface ModelStreamInferResponse {
  readonly error_message: string;
  readonly infer_response: Partial<ModelInferResponse>;
}

export interface RepositoryModelRequest {
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, object>>;
}

export interface RepositoryIndexRequest {
  readonly ready: boolean;
}

export interface HealthCheckRequest {
  readonly service: string;
}

export type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

export interface HealthCheckResponse {
  readonly status: ServingStatus;
}
