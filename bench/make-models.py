#!/usr/bin/env python3
"""Writes the models that the benchmarks need and that are too large to ship into bench/models/ (git-ignored).

    python3 -m venv /tmp/bench-venv
    /tmp/bench-venv/bin/pip install onnx numpy
    /tmp/bench-venv/bin/python bench/make-models.py

encoder12, encoder6: encoders of the shape of MiniLM-L12 and -L6 (12 or 6 layers, 384 wide, 12 heads, 1536 inside), with
random weights: they cost what real ones cost and know nothing. They take texts through the tokenizer of models/spam.

embedder6: encoder6 without its head, as sentence-transformers exports a model: its tokens' vectors, a mean of them, length 1.

spam512: models/spam, but texts are cut at the 512 positions that it has, not at 128: long texts stay long.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 20240601
WIDTH, HEADS, INNER = 384, 12, 1536
VOCABULARY, POSITIONS, LABELS = 8000, 512, 2

BENCH = Path(__file__).resolve().parent
SPAM = BENCH.parent / "models" / "spam"

CARD = """version: "1"
description: {description}; for benchmarks only.
task: text-classification
text:
  maxTokens: 512
labels: [{labels}]
"""


class Graph:
    """Nodes and weights in the order in which they are written down."""

    def __init__(self):
        self.random = np.random.RandomState(SEED)
        self.nodes, self.weights, self.count = [], [], 0

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"{kind.lower()}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def const(self, values, dtype=np.float32):
        self.count += 1
        name = f"const_{self.count}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def normal(self, *shape):
        return self.const(self.random.standard_normal(shape) * 0.02)

    def linear(self, x, size_in, size_out):
        return self.op("Add", self.op("MatMul", x, self.normal(size_in, size_out)), self.const(np.zeros(size_out)))

    def norm(self, x):
        return self.op("LayerNormalization", x, self.const(np.ones(WIDTH)), self.const(np.zeros(WIDTH)), axis=-1)

    def gelu(self, x):
        erf = self.op("Erf", self.op("Mul", x, self.const(2**-0.5)))
        return self.op("Mul", self.op("Mul", x, self.const(0.5)), self.op("Add", erf, self.const(1.0)))


def attention(g, x, bias):
    def heads(y):
        split = g.op("Reshape", y, g.const([0, 0, HEADS, WIDTH // HEADS], np.int64))
        return g.op("Transpose", split, perm=[0, 2, 1, 3])

    q, k, v = (heads(g.linear(x, WIDTH, WIDTH)) for _ in range(3))
    scores = g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2]))
    scores = g.op("Mul", scores, g.const((WIDTH // HEADS) ** -0.5))
    mixed = g.op("MatMul", g.op("Softmax", g.op("Add", scores, bias), axis=-1), v)
    joined = g.op("Reshape", g.op("Transpose", mixed, perm=[0, 2, 1, 3]), g.const([0, 0, WIDTH], np.int64))
    return g.linear(joined, WIDTH, WIDTH)


def classified(g, x):
    # The first word's place: that of [CLS] is nearly the same for all texts where weights are random, and so would be the
    # answers, and an answer that went to the wrong caller would not be seen.
    word = g.op("Gather", x, g.const(1, np.int64), axis=1)
    logits = g.op("MatMul", word, g.const(g.random.standard_normal((WIDTH, LABELS)) * 0.06))
    g.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    return helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", LABELS])


def encoder(layers, has_head=True):
    g = Graph()
    length = g.op("Gather", g.op("Shape", "input_ids"), g.const(1, np.int64))
    positions = g.op("Range", g.const(0, np.int64), length, g.const(1, np.int64))
    words = g.op("Gather", g.normal(VOCABULARY, WIDTH), "input_ids")
    x = g.norm(g.op("Add", words, g.op("Gather", g.normal(POSITIONS, WIDTH), positions)))

    mask = g.op("Unsqueeze", g.op("Cast", "attention_mask", to=TensorProto.FLOAT), g.const([1, 2], np.int64))
    bias = g.op("Mul", g.op("Sub", mask, g.const(1.0)), g.const(10_000.0))
    for _ in range(layers):
        x = g.norm(g.op("Add", x, attention(g, x, bias)))
        x = g.norm(g.op("Add", x, g.linear(g.gelu(g.linear(x, WIDTH, INNER)), INNER, WIDTH)))

    if has_head:
        answer = classified(g, x)
    else:
        g.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
        answer = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", WIDTH])

    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    graph = helper.make_graph(g.nodes, f"encoder{layers}", ids, [answer], initializer=g.weights)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="carpool-bench",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def write_card(folder, description, labels):
    shutil.copyfile(SPAM / "tokenizer.json", folder / "tokenizer.json")
    (folder / "model.yaml").write_text(CARD.format(description=description, labels=labels))
    size = (folder / "model.onnx").stat().st_size
    print(f"bench/models/{folder.name}: {size / 1e6:.0f} MB")


def write_sentence_transformers(folder):
    """The files by which such a folder is known."""
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds.items())
    ]
    config = {"architectures": ["BertModel"], "model_type": "bert", "max_position_embeddings": POSITIONS}
    files = {
        "modules.json": modules,
        "config.json": config,
        "sentence_bert_config.json": {"max_seq_length": POSITIONS},
        "1_Pooling/config.json": {"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": True},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    shutil.copyfile(SPAM / "tokenizer.json", folder / "tokenizer.json")
    print(f"bench/models/{folder.name}: {(folder / 'model.onnx').stat().st_size / 1e6:.0f} MB")


def folder_of(name):
    folder = BENCH / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main():
    for layers in (12, 6):
        folder = folder_of(f"encoder{layers}")
        onnx.save(encoder(layers), folder / "model.onnx")
        write_card(folder, f"{layers} layers, 384 wide, random weights", "left, right")
    folder = folder_of("embedder6")
    onnx.save(encoder(6, has_head=False), folder / "model.onnx")
    write_sentence_transformers(folder)
    folder = folder_of("spam512")
    shutil.copyfile(SPAM / "model.onnx", folder / "model.onnx")
    write_card(folder, "models/spam with texts of up to 512 tokens", "ham, spam")


main()
