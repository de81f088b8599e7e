#!/usr/bin/env python3
"""Writes a dynamically quantised int8 copy of a model folder, by default models/spam as bench/models/spam-int8.

    /tmp/bench-venv/bin/pip install onnx numpy
    /tmp/bench-venv/bin/python bench/quantize-dynamic.py [SOURCE_FOLDER [TARGET_FOLDER]]

Every MatMul with a weight becomes what ONNX Runtime's quantize_dynamic makes of it, one scale for the weight and one,
found at run time, for the whole of the other side, whichever rows are in it:

    x ─ DynamicQuantizeLinear ─ MatMulInteger ─ Cast ─ Mul(scale of x · scale of the weight) ─▶
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BENCH = Path(__file__).resolve().parent


def quantised(graph):
    weights = {init.name: init for init in graph.initializer}
    scales, nodes, done = {}, [], set()

    def scaled(x):
        # One for each input: query, key and value share theirs.
        if x not in scales:
            nodes.append(
                helper.make_node("DynamicQuantizeLinear", [x], [f"{x}_q", f"{x}_scale", f"{x}_zero"])
            )
            scales[x] = f"{x}_q", f"{x}_scale", f"{x}_zero"
        return scales[x]

    for node in graph.node:
        weight = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None or len(weight.dims) != 2 or weight.data_type != TensorProto.FLOAT:
            nodes.append(node)
            continue
        x, name, y = node.input[0], weight.name, node.output[0]
        if name not in done:
            done.add(name)
            values = numpy_helper.to_array(weight)
            scale = np.float32(np.abs(values).max() / 127)
            rounded = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
            graph.initializer.append(numpy_helper.from_array(rounded, f"{name}_q"))
            graph.initializer.append(numpy_helper.from_array(np.asarray(scale), f"{name}_scale"))
        x_q, x_scale, x_zero = scaled(x)
        nodes.extend(
            [
                helper.make_node("MatMulInteger", [x_q, f"{name}_q", x_zero], [f"{y}_i32"]),
                helper.make_node("Cast", [f"{y}_i32"], [f"{y}_f32"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [x_scale, f"{name}_scale"], [f"{y}_scale"]),
                helper.make_node("Mul", [f"{y}_f32", f"{y}_scale"], [y]),
            ]
        )
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [init for init in graph.initializer if init.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return len(done)


def main():
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else BENCH.parent / "models" / "spam"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else BENCH / "models" / f"{source.name}-int8"
    model = onnx.load(source / "model.onnx")
    count = quantised(model.graph)
    onnx.checker.check_model(model, full_check=True)
    target.mkdir(parents=True, exist_ok=True)
    onnx.save(model, target / "model.onnx")
    for name in ("tokenizer.json", "config.json"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    # The digest is the other file's.
    card = (source / "model.yaml").read_text().splitlines(keepends=True)
    (target / "model.yaml").write_text("".join(line for line in card if not line.startswith("sha256:")))
    print(f"{target}: {count} weights quantised")


if __name__ == "__main__":
    main()
