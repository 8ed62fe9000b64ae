"""Writes tokenizers.json: tokenizer.json files of every kind that is read, and the ids that Python's tokenizers gives.

Run with tokenizers 0.22: python make.py > tokenizers.json. The corpus is this file.
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

corpus = [*pathlib.Path(__file__).read_text().splitlines(), "café naïve Größe 東京 2024 don't it's we'll 1,234.50 €", "Ünïcödé ﬁne ½ İstanbul"] * 2
random.seed(0)
parts = ["a", "the ", "The", " tokenizers", "'s", "'LL", "12345", " 7", "  ", "\n", "\r\n", "\t", ".", ",!", "--", "é", "e\u0301", "ﬁ", "½", "東京", "🙂", "👩‍👧", "İ", "ß", "Σς", "\u00a0", "\u2028", "_x_", "$+<", "[MASK]", "<s>", "<|end|>", " café", "\u0000", "\u200b", "٣", "ｗ", "\u3000", "~"]
texts = ["", " ", "Hello,  world! It's 12345 o'clock\n\n  next\tline", "no newline ", *("".join(random.choices(parts, k=random.randint(1, 14))) for _ in range(60))]
cases = []


def case(name, t, trainer=None):
    if trainer:
        t.train_from_iterator(corpus, trainer)
    ids = [t.encode(x, add_special_tokens=False).ids for x in texts]
    cases.append({"name": name, "tokenizer": json.loads(t.to_str()), "size": t.get_vocab_size(), "ids": ids})


def trained(name, model, trainer, normalizer=None, pre=None, special=(), **kwargs):
    t = Tokenizer(model)
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    case(name, t, trainer(vocab_size=kwargs.pop("vocab_size", 320), show_progress=False, special_tokens=list(special), **kwargs))


bytes_of = pre_tokenizers.ByteLevel.alphabet()
llama3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
trained("GPT-2", models.BPE(), trainers.BpeTrainer, pre=pre_tokenizers.ByteLevel(add_prefix_space=False), special=["<|end|>"], initial_alphabet=bytes_of)
trained("RoBERTa", models.BPE(), trainers.BpeTrainer, pre=pre_tokenizers.ByteLevel(), special=["<s>", AddedToken("[MASK]", lstrip=True, rstrip=True)], initial_alphabet=bytes_of)
trained(
    "Llama 3",
    models.BPE(ignore_merges=True),
    trainers.BpeTrainer,
    pre=pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(llama3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
    special=["<|end|>"],
    initial_alphabet=bytes_of,
)
for name, pre, normalizer in [
    ("Llama 2", None, normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])),
    ("Metaspace first", pre_tokenizers.Metaspace(prepend_scheme="first"), None),
]:
    trained(name, models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True), trainers.BpeTrainer, normalizer, pre, ["<unk>", "<s>"], vocab_size=200)
    # Byte tokens are the model's, not added ones, as in the files of Llama.
    spec = cases[-1]["tokenizer"]
    n = len(spec["model"]["vocab"])
    spec["model"]["vocab"] |= {f"<0x{b:02X}>": n + b for b in range(256)}
    cases.pop()
    case(name, Tokenizer.from_str(json.dumps(spec)))
trained("BPE of words", models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"), trainers.BpeTrainer, normalizers.Lowercase(), pre_tokenizers.Whitespace(), ["[UNK]"], end_of_word_suffix="</w>", limit_alphabet=40)
trained("BPE with a prefix", models.BPE(unk_token="[UNK]", fuse_unk=True, continuing_subword_prefix="##"), trainers.BpeTrainer, normalizers.NFKD(), pre_tokenizers.BertPreTokenizer(), ["[UNK]"], continuing_subword_prefix="##", limit_alphabet=40)
bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
trained("BERT", models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer, normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), bert)
cased = normalizers.BertNormalizer(lowercase=False, handle_chinese_chars=False, clean_text=False, strip_accents=True)
trained("BERT cased", models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=6), trainers.WordPieceTrainer, cased, pre_tokenizers.BertPreTokenizer(), bert)
trained("Unigram", models.Unigram(), trainers.UnigramTrainer, normalizers.NFKC(), pre_tokenizers.Metaspace(), ["<unk>", "<s>"], unk_token="<unk>")
trained("Unigram without words", models.Unigram(), trainers.UnigramTrainer, normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Strip()]), None, ["<unk>"], unk_token="<unk>")
pres = {
    "words": pre_tokenizers.WhitespaceSplit(),
    "punctuation": pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]),
    "punctuation removed": pre_tokenizers.Punctuation("removed"),
    "punctuation before": pre_tokenizers.Punctuation("merged_with_previous"),
    "punctuation after": pre_tokenizers.Punctuation("merged_with_next"),
    "punctuation together": pre_tokenizers.Punctuation("contiguous"),
    "digits": pre_tokenizers.Digits(individual_digits=True),
    "numbers": pre_tokenizers.Digits(),
    "a delimiter": pre_tokenizers.CharDelimiterSplit("e"),
    "inverted": pre_tokenizers.Split(Regex(r"\w+"), "removed", invert=True),
    "a text": pre_tokenizers.Split("the", "isolated"),
}
for name, pre in pres.items():
    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.pre_tokenizer = pre
    t.normalizer = normalizers.Replace(Regex(r"\s+"), " ")
    # The words of the texts are the vocabulary, so that ids show where they were cut.
    words = sorted({w for x in texts[:40] for w, _ in pre.pre_tokenize_str(t.normalizer.normalize_str(x))})
    t.model = models.WordLevel({w: i for i, w in enumerate(["[UNK]", *words])}, unk_token="[UNK]")
    case(name, t)
t = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
t.normalizer = normalizers.Lowercase()
t.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
t.add_tokens([AddedToken("The", normalized=True), AddedToken("ß", single_word=True), AddedToken("é", rstrip=True, normalized=False), AddedToken("  ", lstrip=True)])
case("added tokens", t)

print(json.dumps({"texts": texts, "cases": cases}, ensure_ascii=True, separators=(",", ":")))
