"""The tokenizer of a GGUF file, loaded and compared with the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.gguf.files import ALONE, lone_gguf_folder
from lengthprobe.checkpoints.gguf.header import ANOTHER
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.checkpoints.gguf.header import Gguf

# What classes are known to split in ways of their own: digits, spaces, accents, line breaks, contractions.
TELLING = (
    "1234567 and 12, 3.14 or 9th",
    # Not at the beginning: there Llama's class is known to differ, and no prompt begins so.
    "With  two spaces,   three\tand a tab\n\nand a paragraph",
    "L'università non c'è più: già perché",
    "don't, we'll; the Straße's naïve Ça va? (yes!)",
    "word-for-word \u2014 \u201cquoted\u201d \u2026 \U0001f642",
)
_KEY = "tokenizer.ggml."
_ENDS = ("eos_token_id", "eot_token_id", "eom_token_id")
# What transformers calls a special token, and what a GGUF does.
_NAMED = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
# Beside those that it names, what llama.cpp takes for an end in a chat model, by its text.
_END_TEXTS = (
    *("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>", "<|end|>"),
    *("<end_of_turn>", "<eos>", "<|return|>", "<|call|>"),
)
_CONTROL = 3
# How the text is split before its pieces are merged, by the name that the file has for it. From llama.cpp.
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_LLAMA_3 = rf"{_CONTRACTIONS}|{_WORDS}|\p{{N}}{{1,3}}|{_REST}"
_QWEN_2 = rf"{_CONTRACTIONS}|{_WORDS}|\p{{N}}|{_REST}"
# What llama.cpp takes for kin of Llama 3.
_KIN_OF_LLAMA_3 = (
    *("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"),
    "jina-v5-nano",
)
_SPLITS = {
    **dict.fromkeys((*_KIN_OF_LLAMA_3, "smaug-bpe", "dbrx"), _LLAMA_3),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "stablelm2", "megrez"), _QWEN_2),
}
# As GPT-2 splits; the second kind, each digit by itself first.
_LIKE_GPT_2 = (
    "gpt-2",
    "phi-2",
    "mpt",
    "olmo",
    "jais",
    "trillion",
    "roberta-bpe",
    "gigachat",
    "granite-docling",
)
_DIGITS_APART = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")

# Where llama.cpp takes a piece that is a token for that token, whatever the merges say.
_WHOLE_FIRST = (*_KIN_OF_LLAMA_3, "tekken", "minicpm5", "youtu", "granite-embed-multi-97m")
# Where llama.cpp begins a text with the beginning token if the file does not say; SentencePiece is another.
_BEGUN = (*_KIN_OF_LLAMA_3, "tekken", "chameleon")
_SENTENCEPIECE = "llama"
# Its reference tokenizer begins no text, whatever the file says: the template writes the beginning token.
_NEVER_BEGUN = "gemma4"


def load_gguf_tokenizer(gguf: Gguf) -> Any:
    """The tokenizer described in the header of a GGUF file, with the chat template.

    Raises:
        ModelError: transformers cannot make the tokenizer, or would have to guess how texts are split.
    """
    from transformers import PreTrainedTokenizerFast

    if not isinstance(gguf.metadata.get(f"{_KEY}tokens"), list):
        raise ModelError(f"{gguf.path} holds no tokenizer (no {_KEY}tokens)", ANOTHER)
    named = _named_tokens(gguf)
    try:
        with lone_gguf_folder(gguf.path) as folder:
            # The class is named, since by its own choice transformers reads the whole header once more.
            tokenizer: Any = PreTrainedTokenizerFast.from_pretrained(
                folder, gguf_file=ALONE, local_files_only=True
            )
    # What is made up in a header shows in as many ways as there are kinds of tokenizer.
    except Exception as error:
        raise ModelError(
            f"the tokenizer in {gguf.path} cannot be loaded: {type(error).__name__}: {reason(error)}",
            ANOTHER,
        ) from error
    tokenizer.name_or_path = str(gguf.path)
    if gguf.metadata.get(f"{_KEY}model") == "gpt2":
        _split_as_stated(gguf, tokenizer)
    for name, token_id in named.items():
        # Some versions leave out the names that the file gives.
        if getattr(tokenizer, f"{name}_token_id", None) != token_id:
            setattr(tokenizer, f"{name}_token", gguf.metadata[f"{_KEY}tokens"][token_id])
    if "eos" not in named:
        # Some versions make up an end where the file names none.
        tokenizer.eos_token = None
    before, after = _added(gguf)
    tokenizer.add_bos_token, tokenizer.add_eos_token = bool(before), bool(after)
    return tokenizer


def check_gguf_tokenizer(gguf: Gguf, tokenizer: Any, texts: Sequence[str]) -> None:
    """Check that a tokenizer has the tokens of a GGUF file, and gives back texts unchanged.

    A GGUF file holds no tokenizer.json to compare with. Instead, four things must be true. Each token has the
    file's number. Each end token, and each special token in the chat template, is one token. Texts come back
    as they were. The tokens around a text are llama.cpp's.

    Args:
        gguf: The file.
        tokenizer: The tokenizer made from the file.
        texts: Texts to read; texts on which tokenizers are known to differ are added.

    Raises:
        ModelError: A check fails; the message has the token or the text.
    """
    tokens: list[str] = gguf.metadata[f"{_KEY}tokens"]
    # What a class of transformers adds to them, no text of a prompt may make.
    held = tokenizer.convert_ids_to_tokens(list(range(len(tokens))))
    for token_id, (ours, theirs) in enumerate(zip(held, tokens, strict=True)):
        # A few are spelled otherwise: with blanks in place of their mark, or with letters in place of bytes.
        if ours != theirs and (ours is None or theirs.isascii()) and theirs.strip(" "):
            raise _wrong(gguf, f"token {token_id} is {ours!r}, and in the file {theirs!r}")
    for token_id in _special(gguf, tokenizer):
        encoded = tokenizer(tokens[token_id], add_special_tokens=False)["input_ids"]
        if encoded != [token_id]:
            raise _wrong(
                gguf, f"{tokens[token_id]!r} is token {token_id} of the file, and it makes {encoded} of that"
            )
    for text in (*texts, *TELLING):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        beyond = [text_id for text_id in ids if not 0 <= text_id < len(tokens)]
        back = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        # Of the Llama 2 kind a text begins with a space that is none.
        if beyond or back.removeprefix(" ") != text.removeprefix(" "):
            raise _wrong(gguf, f"it gives back {back!r} for {text!r}")
    before, after = _added(gguf)
    stated = [*before, *tokenizer(TELLING[0], add_special_tokens=False)["input_ids"], *after]
    if (encoded := tokenizer(TELLING[0])["input_ids"]) != stated:
        raise _wrong(gguf, f"of {TELLING[0]!r} it makes {encoded}, and llama.cpp {stated}")


def end_keys(gguf: Gguf) -> dict[int, str]:
    """The header's key for each end token, by token; end tokens known by their text have no key."""
    keys = [f"{_KEY}{name}" for name in reversed(_ENDS)]
    return {gguf.metadata[key]: key for key in keys if key in gguf.metadata}


def gguf_ends(gguf: Gguf) -> list[int]:
    """The ids of the end tokens: tokens named in the header, and tokens known by their text.

    A header has room for one end of text and one end of turn. The config of a chat model often names more.
    """
    named = [gguf.metadata.get(f"{_KEY}{name}") for name in _ENDS]
    if gguf.metadata.get("tokenizer.chat_template"):
        unknown = gguf.metadata.get(f"{_KEY}unknown_token_id")
        tokens = gguf.metadata.get(f"{_KEY}tokens") or []
        kinds = gguf.metadata.get(f"{_KEY}token_type") or []
        named += [
            token_id
            for token_id, (token, kind) in enumerate(zip(tokens, kinds, strict=False))
            if kind == _CONTROL and token in _END_TEXTS and token_id != unknown
        ]
    return [token_id for token_id in dict.fromkeys(named) if token_id is not None]


def _split_as_stated(gguf: Gguf, tokenizer: Any) -> None:
    """Make a tokenizer split texts as the file says, where transformers passes the name over.

    Raises:
        ModelError: The name means nothing here or to transformers.
    """
    from tokenizers import Regex, pre_tokenizers

    name = gguf.metadata.get(f"{_KEY}pre")
    tokenizer.backend_tokenizer.model.ignore_merges = name in _WHOLE_FIRST
    if name in _SPLITS:
        first: Any = pre_tokenizers.Split(Regex(_SPLITS[name]), behavior="isolated")
        after = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    elif name in _DIGITS_APART:
        first = pre_tokenizers.Digits(individual_digits=True)
        after = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    elif name in _LIKE_GPT_2 or name in _known_to_transformers():
        return
    else:
        raise ModelError(
            f"{gguf.path} {'names no way to split' if name is None else f'splits by {name!r}'} texts before "
            f"they are merged to tokens ({_KEY}pre), so that the tokens of a prompt would be guessed",
            f"{ANOTHER}; or convert it anew with today's llama.cpp",
        )
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, after])


def _added(gguf: Gguf) -> tuple[list[int], list[int]]:
    """The tokens before a text, and the tokens after the text, as in llama.cpp."""
    named, stated = _named_tokens(gguf), gguf.metadata
    kind = stated.get(f"{_KEY}model")
    begun = kind == _SENTENCEPIECE or (kind == "gpt2" and stated.get(f"{_KEY}pre") in _BEGUN)
    begun = stated.get(f"{_KEY}add_bos_token", begun) and kind != _NEVER_BEGUN
    ended = stated.get(f"{_KEY}add_eos_token", False)
    return (
        [named["bos"]] if begun and "bos" in named else [],
        [named["eos"]] if ended and "eos" in named else [],
    )


def _known_to_transformers() -> frozenset[str]:
    try:
        from transformers.integrations.gguf import gguf_tokenizer_mapping
    except ImportError:
        return frozenset()
    return frozenset(getattr(gguf_tokenizer_mapping, "GGUF_PRE_TOKENIZER_SPLITS", ()))


def _named_tokens(gguf: Gguf) -> dict[str, int]:
    """The special tokens named in the file for which transformers, too, has a name.

    Raises:
        ModelError: A special token or an end token is named by a number beyond the file's tokens.
    """
    tokens = gguf.metadata[f"{_KEY}tokens"]
    for key in (*(f"{_KEY}{key}_token_id" for key in _NAMED.values()), *(f"{_KEY}{name}" for name in _ENDS)):
        number = gguf.metadata.get(key)
        if number is not None and not 0 <= number < len(tokens):
            raise ModelError(
                f"{gguf.path} names {number!r} as {key}, and its tokens are numbered 0 to {len(tokens) - 1}",
                ANOTHER,
            )
    named = {name: gguf.metadata.get(f"{_KEY}{key}_token_id") for name, key in _NAMED.items()}
    return {name: token_id for name, token_id in named.items() if token_id is not None}


def _special(gguf: Gguf, tokenizer: Any) -> list[int]:
    """The end tokens, and the special tokens in the chat template."""
    tokens = gguf.metadata[f"{_KEY}tokens"]
    kinds = gguf.metadata.get(f"{_KEY}token_type") or []
    template = str(tokenizer.chat_template or "")
    written = [
        token_id
        for token_id, (token, kind) in enumerate(zip(tokens, kinds, strict=False))
        if kind == _CONTROL and token and token in template
    ]
    return [
        *dict.fromkeys(token_id for token_id in (*gguf_ends(gguf), *written) if 0 <= token_id < len(tokens))
    ]


def _wrong(gguf: Gguf, what: str) -> ModelError:
    return ModelError(
        f"the tokenizer that transformers makes of {gguf.path} is another than the file's: {what}", ANOTHER
    )
