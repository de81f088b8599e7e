"""What the reference implementations answer, as plain JSON values."""

import itertools

import torch
import transformers
from sentence_transformers import CrossEncoder

from make_models import MAX_TOKENS

# Two scores closer than this could come out in the other order elsewhere; then another seed is wanted.
MARGIN = 1e-4


def numbers(values):
    """Nested lists of float32, seven digits each: more than the tolerances ask for."""
    if isinstance(values, (list, tuple)):
        return [numbers(each) for each in values]
    return float(f"{float(values):.7g}")


def call(tok, text, pair=None, **how):
    """A list of one: called with a lone pair whose second text is empty, transformers takes it for a single text."""
    return tok([text], None if pair is None else [pair], **how)


def encoding(tok, text, pair=None, limit=MAX_TOKENS):
    """Ids of one text or pair, whole and cut. Offsets count Unicode code points."""
    full = call(tok, text, pair, return_offsets_mapping=True)
    made = {"text": text} | ({} if pair is None else {"pair": pair})
    made["ids"] = full["input_ids"][0]
    if "token_type_ids" in tok.model_input_names:
        made["type_ids"] = full["token_type_ids"][0]
    made["offsets"] = [list(each) for each in full["offset_mapping"][0]]
    made["tokens"] = full.tokens()
    made["decoded"] = tok.backend_tokenizer.decode(made["ids"], skip_special_tokens=True)
    if len(made["ids"]) > limit:
        for key, side in (("cut", "right"), ("cut_left", "left")):
            tok.truncation_side = side
            cut = call(tok, text, pair, truncation=True, max_length=limit)
            made[key] = {"ids": cut["input_ids"][0]}
            if "type_ids" in made:
                made[key]["type_ids"] = cut["token_type_ids"][0]
        tok.truncation_side = "right"
    return made


def logits_of(model, tok, text, pair=None, session=None):
    """[labels] or [tokens, labels] of one text alone, cut to MAX_TOKENS; the export must say the same."""
    feeds = call(tok, text, pair, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    with torch.no_grad():
        logits = model(**feeds).logits
    if session is not None:
        session.check(feeds, [logits])
    check_margin(logits[0], text)
    return logits[0].tolist()


def sample_logits(model, tok, texts):
    """[tokens or texts, labels]"""
    with torch.no_grad():
        rows = [model(**tok(each, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")).logits for each in texts]
    return torch.cat([each.reshape(-1, each.shape[-1]) for each in rows])


def check_margin(logits, what):
    if logits.shape[-1] < 2:
        return
    best = logits.sort(dim=-1, descending=True).values
    gap = float((best[..., :-1] - best[..., 1:])[..., 0].min())
    assert gap > MARGIN, f"{what!r}: {gap} between the best two"


def check_padding(model, tok, session, texts):
    """A batch of different lengths must say what each text says alone, in the export too."""
    together = tok(texts, truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt")
    with torch.no_grad():
        answer = model(**together)
        session.check(together, [answer.logits])
        for i, text in enumerate(texts):
            alone = model(**tok(text, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")).logits[0]
            row = answer.logits[i]
            assert torch.allclose(row[: len(alone)] if row.dim() > 1 else row, alone, atol=1e-4), text


def classification(model, tok, session, texts, pairs=()):
    pipe = transformers.pipeline("text-classification", model=model, tokenizer=tok, device="cpu")
    check_padding(model, tok, session, [text for text in texts if text.strip() != ""])
    cases = []
    for unit in [[text] for text in texts] + list(pairs):
        case = encoding(tok, *unit)
        case["logits"] = numbers(logits_of(model, tok, *unit, session=session))
        asked = dict(zip(("text", "text_pair"), unit))
        if asked.get("text_pair") != "":  # see `call`
            given = pipe(asked, top_k=None, truncation=True, max_length=MAX_TOKENS)
            case["scores"] = {each["label"]: numbers(each["score"]) for each in given}
        cases.append(case)
    return {"task": "text-classification", "max_tokens": MAX_TOKENS, "cases": cases}


STRATEGIES = ["none", "simple", "first", "average", "max"]


def entity(given):
    return {
        key: numbers(value) if key == "score" else value if isinstance(value, str) else int(value)
        for key, value in given.items()
        if value is not None
    }


def token_classification(model, tok, session, texts):
    """Starts and ends of entities count code points of the text."""
    check_padding(model, tok, session, [text for text in texts if text.strip() != ""])
    cases = []
    for text in texts:
        case = encoding(tok, text)
        case["logits"] = numbers(logits_of(model, tok, text, session=session))
        case["entities"] = {}
        for strategy in STRATEGIES:
            pipe = transformers.pipeline(
                "token-classification", model=model, tokenizer=tok, aggregation_strategy=strategy, device="cpu"
            )
            case["entities"][strategy] = [entity(each) for each in pipe(text)]
        cases.append(case)
    return {"task": "token-classification", "max_tokens": MAX_TOKENS, "cases": cases}


def zero_shot(model, tok, asks):
    pipe = transformers.pipeline("zero-shot-classification", model=model, tokenizer=tok, device="cpu")
    made = []
    for ask in asks:
        more = {"hypothesis_template": ask["template"]} if "template" in ask else {}
        [given] = pipe([ask["text"]], ask["labels"], multi_label=ask.get("multi_label", False), **more)
        scores = dict(zip(given["labels"], numbers(given["scores"])))
        for a, b in itertools.pairwise(scores.values()):
            assert abs(a - b) > MARGIN, f"{ask}: {a} and {b}"
        made.append(ask | {"scores": scores})
    return made


def embeddings(model, session, sentences):
    """`model`: a SentenceTransformer. As it is, and cut to half of its dimensions, with and without normalising."""
    half = model.get_sentence_embedding_dimension() // 2

    def encode(**how):
        return [numbers(model.encode(text, **how).tolist()) for text in sentences]

    for text in sentences:
        feeds = model.tokenize([text])
        with torch.no_grad():
            given = model[0].auto_model(**{name: feeds[name] for name in session.inputs})
        session.check(feeds, [given.last_hidden_state])
    limit = model.max_seq_length
    return {
        "task": "embedding",
        "max_tokens": limit,
        "pooling": model[1].get_pooling_mode_str(),
        "cases": [encoding(model.tokenizer, text, limit=limit) for text in sentences],
        "embeddings": encode(),
        "normalized": encode(normalize_embeddings=True),
        "dimensions": half,
        "cut": encode(truncate_dim=half),
        "cut_normalized": encode(truncate_dim=half, normalize_embeddings=True),
    }


def rerank(folder, tok, session, queries):
    """`folder`: with weights. Scores of sentence-transformers' CrossEncoder, before and after its activation."""
    model = CrossEncoder(str(folder), device="cpu")
    # One of its own: `predict` with another activation keeps it.
    plain = CrossEncoder(str(folder), device="cpu", activation_fn=torch.nn.Identity())
    asked, cases = [], []
    for query, texts in queries:
        pairs = [[query, text] for text in texts]
        for pair in pairs:
            case = encoding(tok, *pair)
            case["logits"] = numbers(logits_of(model.model, tok, *pair, session=session))
            cases.append(case)
        scores = [float(model.predict([pair])[0]) for pair in pairs]
        raw = [float(plain.predict([pair])[0]) for pair in pairs]
        asked.append({"query": query, "texts": texts, "scores": numbers(scores), "raw_scores": numbers(raw)})
    return {"task": "rerank", "max_tokens": MAX_TOKENS, "cases": cases, "queries": asked}
