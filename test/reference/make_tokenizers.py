"""Small tokenizers of the kinds that encoders come with, trained on corpus.txt."""

import io
from collections import Counter
from pathlib import Path

import sentencepiece
import transformers
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

CORPUS = (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8").splitlines()
VOCAB = 700
LETTERS = 150
# The corpus has no more for SentencePiece.
PIECES = 620


def _pieces(words):
    """A WordPiece vocabulary. The library's own trainer breaks ties by chance, so no two runs agree."""
    count = Counter(words)
    letters, whole, inner = Counter(), Counter(), Counter()
    for word, times in count.items():
        letters.update({letter: times for letter in word})
        if len(word) > 1:
            whole[word] += times
            whole[word[:2]] += times
        for start in range(1, len(word) - 1):
            for end in range(start + 2, min(start + 4, len(word)) + 1):
                inner["##" + word[start:end]] += times
    most = lambda counter, size: sorted(counter, key=lambda each: (-counter[each], each))[:size]
    alphabet = sorted(most(letters, LETTERS))
    pieces = alphabet + ["##" + letter for letter in alphabet]
    return pieces + most(whole, 200) + most(inner, VOCAB - 200 - len(pieces))


def bert(lowercase=True, **more):
    """WordPiece; `lowercase` also strips accents, as in bert-*-uncased."""
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    splitter = pre_tokenizers.BertPreTokenizer()
    lines = [splitter.pre_tokenize_str(normalizer.normalize_str(line)) for line in CORPUS]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = special + _pieces([word for line in lines for word, _ in line])
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tok = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tok.add_special_tokens(special)
    tok.normalizer, tok.pre_tokenizer, tok.decoder = normalizer, splitter, decoders.WordPiece()
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return transformers.BertTokenizerFast(tokenizer_object=tok, do_lower_case=lowercase, **more)


def distilbert(**more):
    """The same without type ids."""
    made = bert()
    return transformers.DistilBertTokenizerFast(tokenizer_object=made.backend_tokenizer, **more)


def roberta(add_prefix_space=False, **more):
    """Byte-level BPE, `<s>` … `</s></s>` … `</s>`."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB - 1,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tok.train_from_iterator(CORPUS, trainer)
    tok.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True, normalized=False)])
    tok.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=add_prefix_space
    )
    return transformers.RobertaTokenizerFast(tokenizer_object=tok, add_prefix_space=add_prefix_space, **more)


QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def qwen(**more):
    """Byte-level BPE behind NFC and a split pattern; only an end token, as Qwen3-Embedding."""
    end = "<|endoftext|>"
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=[end],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tok.train_from_iterator(CORPUS, trainer)
    tok.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=f"$A:0 {end}:0", pair=f"$A:0 $B:1 {end}:1", special_tokens=[(end, 0)]),
        ]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tok,
        eos_token=end,
        pad_token=end,
        model_input_names=["input_ids", "attention_mask"],
        **more,
    )


def _sentencepiece(folder, **settings):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=model,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        num_threads=1,
        minloglevel=2,
        **settings,
    )
    file = folder / "spm.model"
    file.write_bytes(model.getvalue())
    return str(file)


def xlm_roberta(folder, **more):
    """Unigram behind Metaspace, normalised by SentencePiece's own table (Precompiled)."""
    file = _sentencepiece(folder, vocab_size=PIECES)
    return transformers.XLMRobertaTokenizerFast(vocab_file=file, **more)


def deberta_v2(folder, **more):
    """The same kind of model with BERT's special tokens, as deberta-v3."""
    file = _sentencepiece(
        folder,
        vocab_size=PIECES,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
    )
    return transformers.DebertaV2TokenizerFast(vocab_file=file, **more)
