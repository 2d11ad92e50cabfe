"""Settings, and the identities of the checkpoints side by side, as lists for a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lengthprobe.reporting.tables import spans

_DIGEST = re.compile(r"[0-9a-f]{40,}")
_DIGEST_SHOWN = 12
# Labels for a reader, where the name in the JSON report says too little.
_LABELS = {
    "ends_told": "end tokens, where the files do not agree",
    "words": "kind of words that alone may be written",
    "split_batches": "batches split for want of memory",
    "overridden": "generation settings not followed",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value for a reader.

    Args:
        text: The value in words.
        whole: The whole value, where the text is shortened.
    """

    text: str
    whole: str = ""


def settings_by_name(settings: Mapping[str, Any]) -> list[tuple[str, Value]]:
    """The settings by name, without the margins, which have a list of their own."""
    return [(_name(key), value_of(value)) for key, value in settings.items() if key != "margins"]


def facts(models: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[Value]]]:
    """Facts on the checkpoints: a row for each fact, with a value for each checkpoint."""
    keys = dict.fromkeys(key for identity in models.values() for key in identity)
    return [(_name(key), [_listed(key, identity.get(key)) for identity in models.values()]) for key in keys]


def value_of(value: object) -> Value:
    """A value of the JSON report in words.

    >>> value_of([3, 4, 5, 9]).text
    '3–5, 9'
    """
    if value is None or value == "" or value == {} or value == []:
        return Value("–")
    if isinstance(value, bool):
        return Value("yes" if value else "no")
    if isinstance(value, str):
        return Value(value[:_DIGEST_SHOWN], value) if _DIGEST.fullmatch(value) else Value(value)
    if isinstance(value, Mapping):
        return Value(", ".join(f"{key} {value_of(item).text}" for key, item in value.items()))
    if isinstance(value, Sequence):
        whole = all(isinstance(item, int) and not isinstance(item, bool) for item in value)
        shown = spans(tuple(value)).replace("-", "–") if whole else ", ".join(map(str, value))
        return Value(shown)
    return Value(f"{value:g}" if isinstance(value, float) else str(value))


def _listed(key: str, value: object) -> Value:
    """A fact in words: ids of tokens are names, and never shortened to a range."""
    if key == "end_token_ids" and isinstance(value, Sequence) and value:
        return Value(", ".join(map(str, value)))
    return value_of(value)


def _name(key: str) -> str:
    if key in _LABELS:
        return _LABELS[key]
    return key.replace("_", " ")
