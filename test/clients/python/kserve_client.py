"""KServe's own clients by REST (v1, v2 JSON, v2 binary) and gRPC:  kserve_client.py HTTP_HOST:PORT GRPC_HOST:PORT MODELS"""

import asyncio
import logging
import sys

import numpy as np
from common import Models, close, refused_async, run_checks
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

HTTP, GRPC, ROOT = sys.argv[1:4]
BASE = f"http://{HTTP}"
models = Models(ROOT)


def request(binary):
    values = InferInput("float_input", list(models.rows.shape), "FP32")
    values.set_data_from_numpy(models.rows, binary_data=binary)
    return InferRequest(model_name="fraud_detector", infer_inputs=[values], request_id="seven")


def close_answer(answer):
    outputs = {one.name: one.as_numpy() for one in answer.outputs}
    close("probabilities", outputs["probabilities"].reshape(-1, 2).astype(np.float32), models.probabilities)
    assert outputs["label"].ravel().tolist() == models.labels.tolist(), outputs["label"]
    assert answer.id == "seven" and answer.model_name == "fraud_detector", answer


async def ready(client, *base):
    assert await client.is_server_live(*base) and await client.is_server_ready(*base)
    assert await client.is_model_ready(*base, model_name="fraud_detector")


def rest_v2():
    async def run():
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        await ready(client, BASE)
        for binary in (False, True):
            close_answer(await client.infer(BASE, request(binary), model_name="fraud_detector"))
        await refused_async(lambda: client.infer(BASE, request(False), model_name="nothing"), "404")
        await client.close()

    asyncio.run(run())


def rest_v1():
    async def run():
        client = InferenceRESTClient(RESTConfig(protocol="v1"))
        assert await client.is_model_ready(BASE, "fraud_detector")
        answer = await client.infer(BASE, {"instances": models.rows.tolist()}, model_name="fraud_detector")
        got = np.array([one["probabilities"] for one in answer["predictions"]], np.float32)
        close("probabilities", got, models.probabilities)
        await client.close()

    asyncio.run(run())


def grpc():
    async def run():
        client = InferenceGRPCClient(GRPC)
        await ready(client)
        for binary in (False, True):
            close_answer(await client.infer(request(binary)))
        wrong = InferRequest(model_name="nothing", infer_inputs=request(True).inputs)
        await refused_async(lambda: client.infer(wrong), "nothing")
        await client.close()

    asyncio.run(run())


if __name__ == "__main__":
    logging.disable()  # its client logs the errors that are wanted here
    sys.exit(run_checks("kserve", [rest_v2, rest_v1, grpc]))
