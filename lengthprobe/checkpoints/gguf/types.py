"""The types of the values in a GGUF header, compared with the known types of their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TEXT, _WHOLE, _NUMBER, _YES = "a text", "a whole number", "a number", "true or false"
_TEXTS, _WHOLES, _NUMBERS = "a list of texts", "a list of whole numbers", "a list of numbers"
_CLASSES: dict[str, tuple[type, ...]] = {
    _TEXT: (str,),
    _WHOLE: (int,),
    _NUMBER: (int, float),
    _YES: (bool,),
    _TEXTS: (str,),
    _WHOLES: (int,),
    _NUMBERS: (int, float),
}
_TOKENIZER = "tokenizer.ggml."
_KNOWN = {
    "general.architecture": _TEXT,
    "general.type": _TEXT,
    "general.file_type": _WHOLE,
    "general.alignment": _WHOLE,
    "split.count": _WHOLE,
    "tokenizer.chat_template": _TEXT,
    f"{_TOKENIZER}model": _TEXT,
    f"{_TOKENIZER}pre": _TEXT,
    f"{_TOKENIZER}tokens": _TEXTS,
    f"{_TOKENIZER}merges": _TEXTS,
    f"{_TOKENIZER}token_type": _WHOLES,
    f"{_TOKENIZER}scores": _NUMBERS,
    **{f"{_TOKENIZER}{name}_token_id": _WHOLE for name in ("bos", "eos", "eot", "eom", "unknown", "padding")},
    f"{_TOKENIZER}add_bos_token": _YES,
    f"{_TOKENIZER}add_eos_token": _YES,
    f"{_TOKENIZER}add_space_prefix": _YES,
}
# Of each architecture. What an architecture may state for each layer, such as its heads, is not among these.
_OF_AN_ARCHITECTURE = {
    "block_count": _WHOLE,
    "context_length": _WHOLE,
    "embedding_length": _WHOLE,
    "vocab_size": _WHOLE,
    "attention.key_length": _WHOLE,
    "rope.dimension_count": _WHOLE,
    "rope.freq_base": _NUMBER,
    "rope.scale_linear": _NUMBER,
    "rope.scaling.type": _TEXT,
    "rope.scaling.factor": _NUMBER,
    "rope.scaling.original_context_length": _WHOLE,
    "attn_logit_softcapping": _NUMBER,
    "final_logit_softcapping": _NUMBER,
}
_SHOWN = 60


def check_types(path: Path, metadata: Mapping[str, Any], fix: str) -> None:
    """Check that the values of a header have the known types of their keys.

    Args:
        path: The file.
        metadata: The values of the header, by key.
        fix: The advice in the error.

    Raises:
        ModelError: A value has another type; the message has the key.
    """
    named = metadata.get("general.architecture")
    known = _KNOWN | {f"{named}.{key}": kind for key, kind in _OF_AN_ARCHITECTURE.items()}
    for key, value in metadata.items():
        kind = known.get(key)
        if kind is not None and not _is(value, kind):
            raise ModelError(f"{path} says {key} = {_short(value)}, and it is to be {kind}", fix)


def _is(value: Any, kind: str) -> bool:
    classes = _CLASSES[kind]
    if kind not in (_TEXTS, _WHOLES, _NUMBERS):
        # A truth is a number to Python.
        return isinstance(value, classes) and (kind == _YES or not isinstance(value, bool))
    return isinstance(value, list) and all(isinstance(item, classes) for item in value)


def _short(value: Any) -> str:
    shown = repr(value[:_SHOWN]) if isinstance(value, (list, str)) else repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
