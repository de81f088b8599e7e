"""What the checks of both transports share."""

import json
import traceback
from pathlib import Path

import numpy as np

TOLERANCE = 1e-4


class Models:
    """Golden inputs and answers of the shipped models."""

    def __init__(self, root):
        def cases(name):
            return json.loads((Path(root) / name / "golden.json").read_text())["cases"]

        fraud, spam = cases("fraud_detector"), cases("spam")
        self.rows = np.array([case["input"] for case in fraud], np.float32)
        self.probabilities = np.array([case["probabilities"] for case in fraud], np.float32)
        self.labels = np.array([case["label"] for case in fraud], np.int64)
        self.texts = np.array([case["text"].encode() for case in spam], np.object_)
        self.logits = np.array([case["logits"] for case in spam], np.float32)


def every_dtype():
    """The inputs of test/fixtures/models/dtypes.onnx: name -> (datatype, values), with the ends of each type's range."""

    def ends(dtype):
        info = np.iinfo(dtype)
        return np.array([[info.min, info.max], [0, 1]], dtype)

    def floats(dtype):
        info = np.finfo(dtype)
        return np.array([[info.min, info.max], [-0.5, info.tiny]], dtype)

    whole = {"i": (np.int8, np.int16, np.int32, np.int64), "u": (np.uint8, np.uint16, np.uint32, np.uint64)}
    tensors = {}
    for letter, dtypes in whole.items():
        for dtype in dtypes:
            name = np.dtype(dtype).name
            tensors[f"{letter}{np.iinfo(dtype).bits}"] = (name.upper(), ends(dtype))
    for bits in (16, 32, 64):
        tensors[f"f{bits}"] = (f"FP{bits}", floats(getattr(np, f"float{bits}")))
    tensors["b"] = ("BOOL", np.array([[True, False], [False, True]]))
    tensors["s"] = ("BYTES", np.array([["".encode(), "ab".encode()], ["é\n\"".encode(), "\U0001f697".encode()]], np.object_))
    return tensors


def same(what, got, wanted):
    """Shape, type and every value, bit for bit."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape, f"{what}: shape {got.shape}, expected {wanted.shape}"
    assert got.dtype == wanted.dtype, f"{what}: dtype {got.dtype}, expected {wanted.dtype}"
    assert np.array_equal(got, wanted), f"{what}: {got.tolist()}, expected {wanted.tolist()}"


def close(what, got, wanted):
    assert got is not None, f"{what}: not in the answer"
    assert got.shape == wanted.shape, f"{what}: shape {got.shape}, expected {wanted.shape}"
    assert np.allclose(got, wanted, atol=TOLERANCE), f"{what}: off by {np.abs(got - wanted).max()}"


def refused(kind, call, *parts):
    """The error of `call`, of class `kind`, whose text has all of `parts`."""
    try:
        call()
    except kind as error:
        text = str(error)
        missing = [part for part in parts if part not in text]
        assert not missing, f"expected {missing} in {text!r}"
        return text
    raise AssertionError(f"expected an error with {parts}, got an answer")


async def refused_async(call, part):
    """Any error of an awaited call, with `part` in it."""
    try:
        await call()
    except Exception as error:
        assert part in str(error), f"expected {part!r} in {str(error)!r}"
        return
    raise AssertionError(f"expected an error with {part!r}, got an answer")


def run_checks(title, checks):
    """Runs all of them, whatever fails. Returns the exit code."""
    failed = 0
    for check in checks:
        name = check.__name__.replace("_", " ")
        try:
            check()
            print(f"  ok      {title}: {name}")
        except Exception:  # one that fails must not hide the others
            failed += 1
            print(f"  FAILED  {title}: {name}\n{traceback.format_exc()}")
    print(f"  {title}: {len(checks) - failed} of {len(checks)} passed", flush=True)
    return 1 if failed or not checks else 0
