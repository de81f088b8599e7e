"""Tiny models with random weights from the config classes, and their ONNX exports."""

import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import transformers

OPSET = 17
MAX_TOKENS = 64
TINY = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
DISTIL = dict(dim=32, n_layers=2, n_heads=4, hidden_dim=48)
# Far more than a trained model has: so the answers differ from each other.
SPREAD = 0.25


def randomize(model, seed):
    """Weights from one generator in the order of their names; biases and norms too, or a lost one would not show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            is_norm = "norm" in name.lower() and name.endswith("weight")
            weight.copy_(1 + 0.1 * noise if is_norm else (SPREAD if weight.dim() > 1 else 0.1) * noise)
    return model.eval()


def build(kind, config, seed):
    config._attn_implementation = "eager"
    return randomize(getattr(transformers, kind)(config), seed)


def spread_out(model, logits):
    """Shifts and scales the last layer: random weights would give every text the same label."""
    last = [each for each in model.modules() if isinstance(each, torch.nn.Linear)][-1]
    mean = logits.mean(dim=0)
    factor = 1.5 / (logits - mean).std()
    with torch.no_grad():
        last.weight.mul_(factor)
        last.bias.copy_((last.bias - mean) * factor)


class Outputs(torch.nn.Module):
    """The module with tensors in and tensors out, as the tracer wants it."""

    def __init__(self, module, inputs, outputs):
        super().__init__()
        self.module, self.inputs, self.outputs = module, inputs, outputs

    def forward(self, *tensors):
        answer = self.module(**dict(zip(self.inputs, tensors)))
        return tuple(answer[name] for name in self.outputs)


def export(module, sample, file, outputs=("logits",), sequences=(), external=False):
    """`sample`: input name -> tensor. `sequences`: the outputs with a sequence axis."""
    names = list(sample)
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in names if sample[name].dim() == 2}
    axes |= {name: {0: "batch_size"} for name in names if sample[name].dim() != 2}
    axes |= {name: {0: "batch_size"} | ({1: "sequence_length"} if name in sequences else {}) for name in outputs}
    file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Outputs(module, names, outputs).eval(),
            tuple(sample.values()),
            str(file),
            input_names=names,
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    made = onnx.load(str(file))
    for node in made.graph.node:
        node.doc_string = ""  # holds file paths
    if external:
        name = file.name + "_data"
        onnx.save_model(made, str(file), save_as_external_data=True, location=name, size_threshold=256)
    else:
        onnx.save_model(made, str(file))
    return Session(file)


class Session:
    """The export in ONNX Runtime: it must say what the torch module says."""

    def __init__(self, file):
        self.session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        self.inputs = [each.name for each in self.session.get_inputs()]

    def check(self, feeds, expected, tolerance=2e-5):
        """`feeds`: one dict of tensors; `expected`: the torch module's outputs, in order."""
        got = self.session.run(None, {name: np.asarray(feeds[name]) for name in self.inputs})
        for ours, theirs in zip(got, expected, strict=True):
            off = float(np.abs(ours - theirs.numpy()).max(initial=0))
            assert off < tolerance, f"the export is {off} away from the torch module"
