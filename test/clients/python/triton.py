"""tritonclient by HTTP or gRPC:  triton.py http|grpc HOST:PORT MODELS"""

import sys
import threading

import numpy as np
from common import Models, close, every_dtype, refused, run_checks, same
from tritonclient.utils import InferenceServerException

KIND, AT, ROOT = sys.argv[1:4]
if KIND == "http":
    import tritonclient.http as triton
else:
    import tritonclient.grpc as triton

models = Models(ROOT)
client = triton.InferenceServerClient(AT, **({"concurrency": 8} if KIND == "http" else {}))


def tensor(name, values, datatype, **options):
    made = triton.InferInput(name, values.shape, datatype)
    made.set_data_from_numpy(values, **options)
    return made


def fraud_row(at=None, **options):
    values = models.rows if at is None else models.rows[at : at + 1]
    return [tensor("float_input", np.ascontiguousarray(values), "FP32", **options)]


def field(answer, name):
    """Of an answer that is JSON by HTTP and a message by gRPC."""
    return answer[name] if isinstance(answer, dict) else getattr(answer, name)


def health_and_metadata():
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("spam") and client.is_model_ready("spam", "1")
    assert not client.is_model_ready("nothing")
    assert field(client.get_server_metadata(), "name") == "carpool"
    metadata = client.get_model_metadata("fraud_detector")
    shapes = {field(one, "name"): [int(n) for n in field(one, "shape")] for one in field(metadata, "inputs")}
    assert shapes == {"float_input": [-1, 30]}, shapes
    config = client.get_model_config("fraud_detector")
    assert field(config if KIND == "http" else config.config, "max_batch_size") == 64


def numbers_in_numbers_out():
    answer = client.infer("fraud_detector", fraud_row(), request_id="seven", model_version="1")
    close("probabilities", answer.as_numpy("probabilities"), models.probabilities)
    same("label", answer.as_numpy("label"), models.labels)
    assert field(answer.get_response(), "id") == "seven"


def only_the_outputs_asked_for():
    wanted = [triton.InferRequestedOutput("probabilities")]
    answer = client.infer("fraud_detector", fraud_row(), outputs=wanted)
    close("probabilities", answer.as_numpy("probabilities"), models.probabilities)
    assert answer.as_numpy("label") is None


def texts():
    answer = client.infer("spam", [tensor("text", models.texts, "BYTES")])
    close("logits", answer.as_numpy("logits"), models.logits)
    best = [triton.InferRequestedOutput("logits", class_count=1)]
    answer = client.infer("spam", [tensor("text", models.texts, "BYTES")], outputs=best)
    names = [entry.decode().split(":")[2] for entry in answer.as_numpy("logits").ravel()]
    assert names == [["ham", "spam"][row.argmax()] for row in models.logits], names


def all_dtypes():
    sent = every_dtype()
    answer = client.infer("dtypes", [tensor(name, values, datatype) for name, (datatype, values) in sent.items()])
    for name, (_, values) in sent.items():
        same(name, answer.as_numpy(f"{name}_out"), values)


def several_inputs_and_no_rows_mixed_up():
    a, b = np.arange(300, dtype=np.float32).reshape(100, 3), np.ones((100, 2), np.float32)
    answer = client.infer("multi_io", [tensor("b", b, "FP32"), tensor("a", a, "FP32")])
    close("sum", answer.as_numpy("sum"), a.sum(1, keepdims=True) + 2)
    close("scaled", answer.as_numpy("scaled"), a * 2)


def wrong_shapes_models_and_types():
    error = InferenceServerException
    wide = tensor("float_input", np.zeros((2, 31), np.float32), "FP32")
    refused(error, lambda: client.infer("fraud_detector", [wide]), "float_input", "30", "31")
    flat = tensor("float_input", np.zeros(30, np.float32), "FP32")
    refused(error, lambda: client.infer("fraud_detector", [flat]), "float_input")
    whole = tensor("float_input", np.zeros((1, 30), np.int64), "INT64")
    refused(error, lambda: client.infer("fraud_detector", [whole]), "float_input", "FP32", "INT64")
    other = tensor("floats", models.rows, "FP32")
    refused(error, lambda: client.infer("fraud_detector", [other]), "floats")
    refused(error, lambda: client.infer("fraud_detector", []), "float_input")
    refused(error, lambda: client.infer("nothing", fraud_row()), "nothing", "404" if KIND == "http" else "NOT_FOUND")
    refused(error, lambda: client.infer("spam", fraud_row(), model_version="9"), "9")
    unknown = [triton.InferRequestedOutput("nothing")]
    refused(error, lambda: client.infer("fraud_detector", fraud_row(), outputs=unknown), "nothing")
    numbers_in_numbers_out()


def priority_and_timeout():
    client.infer("fraud_detector", fraud_row(), priority=1, timeout=30_000_000)
    refused(InferenceServerException, lambda: client.infer("fraud_detector", fraud_row(), timeout=1))


def load_and_unload():
    client.unload_model("multi_io")
    assert not client.is_model_ready("multi_io")
    client.load_model("multi_io")
    assert client.is_model_ready("multi_io")
    several_inputs_and_no_rows_mixed_up()
    refused(InferenceServerException, lambda: client.load_model("nothing"), "nothing")
    refused(InferenceServerException, lambda: client.load_model("spam", config="{}"), "config")
    index = client.get_model_repository_index()
    states = {field(one, "name"): field(one, "state") for one in (index if KIND == "http" else index.models)}
    assert states["multi_io"] == states["spam"] == "READY", states


def statistics():
    def of():
        stats = field(client.get_inference_statistics("fraud_detector"), "model_stats")[0]
        return [int(field(stats, name)) for name in ("inference_count", "execution_count")], stats

    before, _ = of()
    for _ in range(5):
        client.infer("fraud_detector", fraud_row())
    after, stats = of()
    assert after[0] - before[0] == 5 * len(models.rows), (before, after)
    assert 5 <= after[1] - before[1] <= 5 * len(models.rows), (before, after)
    success = field(field(stats, "inference_stats"), "success")
    assert int(field(success, "count")) > 0 and int(field(success, "ns")) > 0


def compressed():
    for how in ("gzip", "deflate"):
        both = {"request_compression_algorithm": how, "response_compression_algorithm": how}
        options = both if KIND == "http" else {"compression_algorithm": how}
        answer = client.infer("fraud_detector", fraud_row(), **options)
        close("probabilities", answer.as_numpy("probabilities"), models.probabilities)


def a_hundred_threads():
    failures = []

    def ask(at):
        own = triton.InferenceServerClient(AT)
        try:
            for turn in range(3):
                row = (at + turn) % len(models.rows)
                answer = own.infer("fraud_detector", fraud_row(row))
                close("probabilities", answer.as_numpy("probabilities"), models.probabilities[row : row + 1])
        except BaseException as error:  # a greenlet's as well
            failures.append(repr(error))
        finally:
            own.close()

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures, failures[:3]
    assert not any(thread.is_alive() for thread in threads)


if __name__ == "__main__":
    if KIND == "http":
        from triton_http import checks_of
    else:
        from triton_grpc import checks_of
    both = [health_and_metadata, numbers_in_numbers_out, only_the_outputs_asked_for, texts, all_dtypes]
    both += [several_inputs_and_no_rows_mixed_up, wrong_shapes_models_and_types, priority_and_timeout, load_and_unload]
    both += [statistics, compressed, a_hundred_threads]
    code = run_checks(f"tritonclient.{KIND}", both + checks_of(triton, client, models, tensor, fraud_row))
    client.close()
    sys.exit(code)
