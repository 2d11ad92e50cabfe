"""The tokenizer of a checkpoint, loaded and compared with its own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.checkpoints.gguf.tokenizer import TELLING, check_gguf_tokenizer, load_gguf_tokenizer
from lengthprobe.checkpoints.tokenizers.faults import file_at_fault, what_is_wrong
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lengthprobe.checkpoints.files import Files
    from lengthprobe.settings import Settings

CONFIG = "tokenizer_config.json"
_FILE = "tokenizer.json"
# The names that mean: as tokenizer.json says.
_AS_THE_FILE_SAYS = ("TokenizersBackend", "PreTrainedTokenizerFast")
_SHOWN = 6


def load_tokenizer(files: Files, settings: Settings) -> Any:
    """The tokenizer of a checkpoint.

    Where tokenizer_config.json says to read tokenizer.json unchanged, the file is read unchanged. For some
    architectures transformers would take a class of its own all the same.

    Raises:
        ModelError: The tokenizer cannot be loaded; the message names the file at fault, where known.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if files.gguf is not None:
        return load_gguf_tokenizer(files.gguf)
    loader: Any = AutoTokenizer
    if stated_class(files) in _AS_THE_FILE_SAYS and (files.tokenizer / _FILE).is_file():
        loader = PreTrainedTokenizerFast

    def load(directory: Path) -> Any:
        return loader.from_pretrained(
            directory, trust_remote_code=settings.allow_remote_code, local_files_only=True
        )

    try:
        return load(files.tokenizer)
    # A broken tokenizer file shows in as many ways as there are kinds of tokenizer.
    except Exception as error:
        path = file_at_fault(files.tokenizer, load)
        said = reason(error)
        if path is not None:
            said = what_is_wrong(path) or f"{path.name}: {said}"
        raise ModelError(
            f"the tokenizer in {files.tokenizer} cannot be loaded: {said}",
            f"copy or download {path.name if path else 'its files'} again, or save it anew with "
            "tokenizer.save_pretrained",
        ) from error


def stated_class(files: Files) -> str | None:
    """The class named in tokenizer_config.json, or None."""
    path = files.tokenizer / CONFIG
    named = read_json(path).get("tokenizer_class") if path.is_file() else None
    return named if isinstance(named, str) else None


def check_tokenizer(files: Files, tokenizer: Any, texts: Sequence[str]) -> None:
    """Check that a tokenizer splits texts into tokens as its tokenizer.json says.

    transformers may rebuild a tokenizer by the rules of a class (transformers #45488), and then keeps the
    vocabulary of tokenizer.json, and not the way of splitting. An addition by a config, such as a special
    token or the beginning of a text, is no difference.

    Args:
        files: The checkpoint.
        tokenizer: Its tokenizer.
        texts: Texts to read; texts on which classes are known to differ are added.

    Raises:
        ModelError: The tokenizer and the file differ on a text; the message has the tokens of both.
    """
    if files.gguf is not None:
        check_gguf_tokenizer(files.gguf, tokenizer, texts)
        return
    path = files.tokenizer / _FILE
    if not path.is_file():
        return
    stated = _as_stated(path, tokenizer)
    all_texts = [*dict.fromkeys(texts), *TELLING]
    try:
        taken = tokenizer(all_texts, add_special_tokens=False)["input_ids"]
    # A class that the vocabulary was not made for may lack what it needs, an unknown token for one.
    except Exception as error:
        raise ModelError(
            f"the tokenizer in {files.tokenizer} can be read in two ways. {_who(files, tokenizer)} cannot "
            f"read a prompt with the vocabulary of {_FILE}: {reason(error)}",
            _MEND,
        ) from error
    for text, ours, theirs in zip(
        all_texts, taken, stated.encode_batch(all_texts, add_special_tokens=False), strict=True
    ):
        if list(ours) != theirs.ids:
            raise _two_readings(files, tokenizer, text, list(ours), theirs.tokens, theirs.ids)
        decoded = tokenizer.decode(ours, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if decoded.split() != stated.decode(theirs.ids, skip_special_tokens=True).split():
            raise _two_decodings(files, tokenizer, decoded, stated.decode(theirs.ids))


def _as_stated(path: Path, tokenizer: Any) -> Any:
    """The tokenizer of the file, with the tokens added by other files of the checkpoint.

    A config may also turn a token of the vocabulary into a special token, or let a token include the white
    space after the token (Phi-3). transformers obeys under any class.
    """
    from tokenizers import Tokenizer

    stated = Tokenizer.from_file(str(path))
    # transformers does neither unless asked.
    stated.no_truncation()
    stated.no_padding()
    stated.add_tokens([token for _, token in sorted(tokenizer.added_tokens_decoder.items())])
    return stated


def _two_readings(
    files: Files, tokenizer: Any, text: str, taken: list[int], stated: list[str], stated_ids: list[int]
) -> ModelError:
    shown = [str(token) for token in tokenizer.convert_ids_to_tokens(taken)]
    # From the first difference on.
    start = next((index for index, (a, b) in enumerate(zip(taken, stated_ids, strict=False)) if a != b), 0)
    return ModelError(
        f"the tokenizer in {files.tokenizer} can be read in two ways. {_who(files, tokenizer)} makes other "
        f"tokens of a text than {_FILE} says: of {text!r}, from token {start} on, the class makes "
        f"{shown[start : start + _SHOWN]} and {_FILE} {stated[start : start + _SHOWN]}",
        _MEND,
    )


def _two_decodings(files: Files, tokenizer: Any, taken: str, stated: str) -> ModelError:
    return ModelError(
        f"the tokenizer in {files.tokenizer} can be read in two ways. {_who(files, tokenizer)} makes "
        f"another text of the same tokens than {_FILE} says: {taken!r}, and not {stated!r}",
        _MEND,
    )


_MEND = (
    f'if the model was trained with {_FILE}, write "tokenizer_class": "{_AS_THE_FILE_SAYS[1]}" '
    f"into {CONFIG}; "
    f"if with the class, save its tokenizer anew: AutoTokenizer.from_pretrained(…).save_pretrained(…)"
)


def _who(files: Files, tokenizer: Any) -> str:
    """The class chosen by transformers, and why."""
    named = stated_class(files)
    why = f"{CONFIG} asks for it" if named else f"model_type {files.config.model_type!r} asks for it"
    if named and named.removesuffix("Fast") != type(tokenizer).__name__:
        why = f"transformers takes it, and {CONFIG} names {named}"
    return f"The class {type(tokenizer).__name__} ({why})"
