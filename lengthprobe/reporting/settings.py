"""What was asked of whom, as a page lists it: settings, and the identity of each checkpoint side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lengthprobe.reporting.tables import spans

_DIGEST = re.compile(r"[0-9a-f]{40,}")
_DIGEST_SHOWN = 12
# Where the name in the JSON report says too little to a reader.
_LABELS = {
    "ends_told": "end tokens, where the files do not agree",
    "words": "kind of words that alone may be written",
    "split_batches": "batches split for want of memory",
    "overridden": "generation settings not followed",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is shown.

    Args:
        text: In words.
        whole: The whole of it, where the text is short for it.
    """

    text: str
    whole: str = ""


def settings_by_name(settings: Mapping[str, Any]) -> list[tuple[str, Value]]:
    """The settings by name, without the margins, which have a list of their own."""
    return [(_name(key), value_of(value)) for key, value in settings.items() if key != "margins"]


def facts(models: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[Value]]]:
    """What is known of each checkpoint: a row a fact, a value a checkpoint."""
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
        return Value(", ".join(f"{key} {value_of(one).text}" for key, one in value.items()))
    if isinstance(value, Sequence):
        whole = all(isinstance(one, int) and not isinstance(one, bool) for one in value)
        shown = spans(tuple(value)).replace("-", "–") if whole else ", ".join(map(str, value))
        return Value(shown)
    return Value(f"{value:g}" if isinstance(value, float) else str(value))


def _listed(key: str, value: object) -> Value:
    """A fact in words: ids of tokens are names, of which no range is made."""
    if key == "end_token_ids" and isinstance(value, Sequence) and value:
        return Value(", ".join(map(str, value)))
    return value_of(value)


def _name(key: str) -> str:
    if key in _LABELS:
        return _LABELS[key]
    return key.replace("_", " ")
