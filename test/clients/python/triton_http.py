"""What only tritonclient.http does: JSON in place of binary, and answers to be fetched later."""

import numpy as np
from common import close, every_dtype, same


def checks_of(triton, client, models, tensor, fraud_row):
    def json_and_binary_both_ways():
        for binary_in in (True, False):
            for binary_out in (True, False):
                wanted = [triton.InferRequestedOutput("probabilities", binary_data=binary_out)]
                answer = client.infer("fraud_detector", fraud_row(binary_data=binary_in), outputs=wanted)
                close("probabilities", answer.as_numpy("probabilities"), models.probabilities)

    def all_dtypes_as_json():
        sent = every_dtype()
        # FP16 has no JSON form: it comes as binary beside the others.
        inputs = [tensor(name, values, kind, binary_data=kind == "FP16") for name, (kind, values) in sent.items()]
        wanted = [triton.InferRequestedOutput(f"{name}_out", binary_data=name == "f16") for name in sent]
        answer = client.infer("dtypes", inputs, outputs=wanted)
        for name, (_, values) in sent.items():
            got = answer.as_numpy(f"{name}_out")
            # The client leaves strings of JSON as they are.
            same(name, np.char.encode(got.astype(str)).astype(object) if name == "s" else got, values)

    def whole_numbers_beyond_2_to_the_53():
        values = np.array([[2**53 + 1], [-(2**63)], [2**63 - 2]], np.int64)
        for binary in (True, False):
            wanted = [triton.InferRequestedOutput("y", binary_data=binary)]
            answer = client.infer("bigint", [tensor("x", values, "INT64", binary_data=binary)], outputs=wanted)
            same("y", answer.as_numpy("y"), values + 1)

    def a_large_answer_compressed():
        rows = np.repeat(models.rows[:1], 3000, 0)
        large = [tensor("float_input", rows, "FP32")]
        answer = client.infer("fraud_detector", large, response_compression_algorithm="gzip")
        close("probabilities", answer.as_numpy("probabilities"), np.repeat(models.probabilities[:1], 3000, 0))

    def thirty_at_once_answered_later():
        asked = [client.async_infer("fraud_detector", fraud_row(i % len(models.rows))) for i in range(30)]
        for i, one in enumerate(asked):
            row = i % len(models.rows)
            got = one.get_result().as_numpy("probabilities")
            close("probabilities", got, models.probabilities[row : row + 1])

    return [
        json_and_binary_both_ways,
        all_dtypes_as_json,
        whole_numbers_beyond_2_to_the_53,
        a_large_answer_compressed,
        thirty_at_once_answered_later,
    ]
