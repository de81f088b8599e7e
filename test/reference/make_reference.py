#!/usr/bin/env python3
"""Writes the reference models and their golden answers: see README.md beside it.

    python test/reference/make_reference.py [OUT_DIR]

OUT_DIR: where models/, images/ and versions.json go; default: beside this script.
"""

import json
import os
import platform
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}

import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer, models as parts

import make_golden as golden
import make_images as images
import make_tokenizers as tokenizers
import texts
from make_models import DISTIL, MAX_TOKENS, TINY, build, export, spread_out

HERE = Path(__file__).parent
OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
NO_LIMIT = {}  # tokenizer_config.json without model_max_length: the limit is to be found in config.json
LIMIT = {"model_max_length": MAX_TOKENS}
# A model with pad id 1 counts its positions from 2.
ROBERTA = TINY | {"max_position_embeddings": MAX_TOKENS + 2, "type_vocab_size": 1, "pad_token_id": 1}
BERT = TINY | {"max_position_embeddings": MAX_TOKENS, "pad_token_id": 0}
PACKAGES = "torch transformers tokenizers sentence-transformers sentencepiece onnx onnxruntime numpy pillow".split()


def labelled(*names):
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}


def write_json(file, value):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def sample_of(model, tok):
    feeds = tok("a short text", return_tensors="pt")
    return {name: feeds[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in feeds}


def save_text_model(name, model, tok, file="model.onnx", sequences=(), external=False):
    """The files of a Hugging Face ONNX export."""
    if model.config.num_labels > 1:
        spread_out(model, golden.sample_logits(model, tok, texts.TEXTS))
    folder = OUT / "models" / name
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    tok.save_pretrained(folder)
    for extra in ("vocab.txt", "vocab.json", "merges.txt", "spm.model", "sentencepiece.bpe.model"):
        (folder / extra).unlink(missing_ok=True)
    return folder, export(model, sample_of(model, tok), folder / file, sequences=sequences, external=external)


def classifiers():
    tok = tokenizers.bert(**LIMIT)
    config = transformers.BertConfig(vocab_size=len(tok), **BERT, **labelled("negative", "neutral", "positive"))
    model = build("BertForSequenceClassification", config, 1)
    folder, session = save_text_model("bert-single", model, tok)
    write_json(folder / "golden.json", golden.classification(model, tok, session, texts.TEXTS, texts.PAIRS))

    tok = tokenizers.roberta(**NO_LIMIT)
    config = transformers.RobertaConfig(
        vocab_size=len(tok),
        problem_type="multi_label_classification",
        **ROBERTA,
        **labelled("anger", "joy", "love", "fear", "surprise"),
    )
    model = build("RobertaForSequenceClassification", config, 2)
    folder, session = save_text_model("roberta-multi", model, tok, "onnx/model.onnx")
    write_json(folder / "golden.json", golden.classification(model, tok, session, texts.TEXTS, texts.PAIRS))

    tok = tokenizers.distilbert(**NO_LIMIT)
    config = transformers.DistilBertConfig(
        vocab_size=len(tok), max_position_embeddings=MAX_TOKENS, num_labels=1, problem_type="regression", **DISTIL
    )
    model = build("DistilBertForSequenceClassification", config, 3)
    folder, session = save_text_model("distilbert-regression", model, tok)
    write_json(folder / "golden.json", golden.classification(model, tok, session, texts.TEXTS))

    tok = tokenizers.bert(**LIMIT)
    config = transformers.BertConfig(vocab_size=len(tok), **BERT, **labelled("no", "yes"))
    model = build("BertForSequenceClassification", config, 4)
    folder, session = save_text_model("bert-external", model, tok, "onnx/model.onnx", external=True)
    write_json(folder / "golden.json", golden.classification(model, tok, session, texts.PLAIN))


def entailment(scratch):
    tok = tokenizers.deberta_v2(scratch, **LIMIT)
    config = transformers.DebertaV2Config(
        vocab_size=len(tok),
        max_position_embeddings=MAX_TOKENS,
        relative_attention=True,
        position_buckets=16,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        share_att_key=True,
        norm_rel_ebd="layer_norm",
        type_vocab_size=0,
        pooler_hidden_size=32,
        **TINY,
        **labelled("entailment", "neutral", "contradiction"),
    )
    model = build("DebertaV2ForSequenceClassification", config, 5)
    tok.model_input_names = ["input_ids", "attention_mask"]
    folder, session = save_text_model("deberta-nli", model, tok)
    made = golden.classification(model, tok, session, texts.TEXTS, texts.PAIRS)
    made["zero_shot"] = golden.zero_shot(model, tok, texts.ZERO_SHOT)
    write_json(folder / "golden.json", made)


def entities(scratch):
    labels = labelled("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    tok = tokenizers.bert(**LIMIT)
    config = transformers.BertConfig(vocab_size=len(tok), **BERT, **labels)
    kinds = {"bert-ner": ("BertForTokenClassification", config, tok, 6)}
    tok = tokenizers.roberta(add_prefix_space=True, **LIMIT)
    config = transformers.RobertaConfig(vocab_size=len(tok), **ROBERTA, **labels)
    kinds["roberta-ner"] = ("RobertaForTokenClassification", config, tok, 7)
    tok = tokenizers.xlm_roberta(scratch, **LIMIT)
    config = transformers.XLMRobertaConfig(vocab_size=len(tok), **ROBERTA, **labels)
    kinds["xlmr-ner"] = ("XLMRobertaForTokenClassification", config, tok, 8)
    for name, (kind, config, tok, seed) in kinds.items():
        model = build(kind, config, seed)
        folder, session = save_text_model(name, model, tok, sequences=["logits"])
        write_json(folder / "golden.json", golden.token_classification(model, tok, session, texts.NAMED))


def bake(file):
    """As all-MiniLM-L6-v2's: a truncation and a padding that the reference implementations do not heed."""
    made = json.loads(file.read_text(encoding="utf-8"))
    made["truncation"] = {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0}
    padding = {"strategy": {"Fixed": 24}, "direction": "Right", "pad_to_multiple_of": None}
    made["padding"] = padding | {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    file.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")


def sentence_models(scratch):
    bert = transformers.BertConfig(vocab_size=len(tokenizers.bert()), **BERT)
    distil = transformers.DistilBertConfig(vocab_size=len(tokenizers.qwen()), max_position_embeddings=48, **DISTIL)
    kinds = {
        "st-mean": ("BertModel", bert, tokenizers.bert(**LIMIT), "mean", True, False, 10),
        "st-cls": ("BertModel", bert, tokenizers.bert(lowercase=False, **LIMIT), "cls", False, False, 11),
        "st-max": ("BertModel", bert, tokenizers.bert(**LIMIT), "max", False, False, 12),
        "st-last": ("DistilBertModel", distil, tokenizers.qwen(**LIMIT), "lasttoken", True, False, 13),
        "st-baked": ("BertModel", bert, tokenizers.bert(**LIMIT), "mean", True, True, 14),
    }
    for name, (kind, config, tok, pooling, normalizes, baked, seed) in kinds.items():
        config.vocab_size = len(tok)
        model, start, done = build(kind, config, seed), scratch / name, scratch / f"{name}-done"
        model.save_pretrained(start)
        tok.save_pretrained(start)
        if baked:
            bake(start / "tokenizer.json")
        body = parts.Transformer(str(start), max_seq_length=48, model_args={"attn_implementation": "eager"})
        modules = [body, parts.Pooling(body.get_word_embedding_dimension(), pooling_mode=pooling)]
        whole = SentenceTransformer(modules=modules + ([parts.Normalize()] if normalizes else []), device="cpu")
        whole.save(str(done))
        folder = OUT / "models" / name
        ignore = shutil.ignore_patterns("*.safetensors", "README.md", "vocab.*", "merges.txt")
        shutil.copytree(done, folder, ignore=ignore)
        if baked:
            bake(folder / "tokenizer.json")
        file = folder / "onnx/model.onnx"
        session = export(model, sample_of(model, tok), file, ["last_hidden_state"], ["last_hidden_state"])
        # sentence-transformers strips its texts, which matters to a tokenizer that keeps spaces.
        sentences = [text for text in texts.SENTENCES if pooling != "lasttoken" or text == text.strip()]
        write_json(folder / "golden.json", golden.embeddings(whole, session, sentences))


def reranker(scratch):
    tok = tokenizers.bert(lowercase=False, **LIMIT)
    config = transformers.BertConfig(vocab_size=len(tok), num_labels=1, **BERT)
    model = build("BertForSequenceClassification", config, 20)
    start, done = scratch / "rerank", scratch / "rerank-done"
    model.save_pretrained(start)
    tok.save_pretrained(start)
    CrossEncoder(str(start), device="cpu").save_pretrained(str(done))
    folder = OUT / "models" / "bert-rerank"
    shutil.copytree(done, folder, ignore=shutil.ignore_patterns("*.safetensors", "README.md", "vocab.txt"))
    session = export(model, sample_of(model, tok), folder / "model.onnx")
    write_json(folder / "golden.json", golden.rerank(start, tok, session, texts.QUERIES))


def image_models():
    labels = labelled("cat", "dog", "ship", "tree", "truck")
    names = images.write_images(OUT / "images")
    write_json(OUT / "images" / "golden.json", images.resize_golden(OUT / "images", names))
    vit = transformers.ViTConfig(image_size=32, patch_size=8, **TINY, **labels)
    resnet = dict(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    resnet = transformers.ResNetConfig(**resnet, **labels)
    squeeze = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    percent = transformers.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=0.875)
    crop = transformers.MobileNetV2ImageProcessor(
        size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}, resample=3
    )
    kinds = {
        "image-vit": ("ViTForImageClassification", vit, squeeze, 30),
        "image-resnet": ("ResNetForImageClassification", resnet, percent, 31),
        "image-crop": ("ResNetForImageClassification", resnet, crop, 32),
    }
    for name, (kind, config, processor, seed) in kinds.items():
        model, folder = build(kind, config, seed), OUT / "models" / name
        model.config.architectures = [kind]
        model.config.save_pretrained(folder)
        processor.save_pretrained(folder)
        spread_out(model, images.sample_logits(model, processor, OUT / "images", names))
        session = export(model, {"pixel_values": torch.zeros(1, 3, 32, 32)}, folder / "model.onnx")
        made = images.image_classification(model, processor, session, OUT / "images", names)
        write_json(folder / "golden.json", made)


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for name in ("models", "images"):
        shutil.rmtree(OUT / name, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        classifiers()
        entailment(scratch)
        entities(scratch)
        sentence_models(scratch)
        reranker(scratch)
        image_models()
    versions = {"python": platform.python_version()} | {each: metadata.version(each) for each in PACKAGES}
    (OUT / "versions.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
