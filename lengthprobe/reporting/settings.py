"""Settings, and the identities of the checkpoints side by side, as lists for a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lengthprobe.reporting.tables import spans

_DIGEST = re.compile(r"[0-9a-f]{40,}")
_DIGEST_SHOWN = 12
_NOTHING = "–"
_FURTHER = "Further"
# Labels for a reader: the name in the JSON report often says too little.
_SETTINGS = {
    "What is asked": {
        "languages": "languages",
        "lengths": "numbers of words asked for",
        "budget": "most prompts in each language",
        "early_looks": "claims judged before, after so many prompts",
        "seed": "seed of the prompts",
        "prompt_form": "form of the prompts",
        "system_prompt": "system prompt",
        "thinking": "thoughts before the answer",
        "sampling": "how answers are drawn",
        "samples": "answers to each prompt",
    },
    "How answers are judged": {
        "counter": "word counter",
        "cap": "most tokens of an answer",
        "alpha": "alpha, one-sided",
        "across_forms": "unlike forms compared",
    },
    "How checkpoints run": {
        "dtype": "number format of the weights",
        "device_map": "devices",
        "batch_size": "most prompts at once",
        "allow_pickle": "pickled weights allowed",
        "allow_remote_code": "code of a checkpoint allowed",
    },
}
_FACTS = {
    "Checkpoint": {
        "display_name": "name",
        "name": "name as typed",
        "kind": "found as",
        "repo_id": "repository",
        "commit": "commit",
        "adapter": "adapter on a base",
        "architecture": "architecture",
        "lineage": "lineage",
        "lineage_told": "lineage told by an option",
        "components": "components",
        "left_out": "not used",
        "stored": "stored as",
        "quantized": "quantized",
    },
    "Digests (SHA-256)": {
        "weights": "weights",
        "config": "config",
        "tokenizer": "tokenizer",
        "chat_template": "chat template",
    },
    "How it was asked": {
        "prompt_form": "form of the prompts",
        "template_arguments": "arguments of the template",
        "system_prompt": "system prompt",
        "thinking": "thoughts before the answer",
        "thought": "room for a thought",
        "sampled": "sampled",
        "end_token_ids": "ids of the end tokens",
        "ends_told": "end tokens, where the files do not agree",
        "overridden": "generation settings not followed",
        "words": "kind of words that alone may be written",
        "ablation": "ablation",
    },
    "What came back": {
        "cut_off": "answers cut off at the cap",
        "unfinished_thoughts": "unfinished thoughts",
    },
    "Where it ran": {
        "dtype": "number format",
        "device": "device",
        "attention": "attention",
        "batch_size": "most prompts at once",
        "split_batches": "batches split for want of memory",
        "versions": "versions",
    },
}
# A setting without a value means this.
_WITHOUT = {"system_prompt": "none", "batch_size": "as memory allows", "sampling": "greedily"}


@dataclass(frozen=True, slots=True)
class Value:
    """A value for a reader.

    Args:
        text: The value in words.
        whole: The whole value, where the text is shortened.
    """

    text: str
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A fact with a label.

    Args:
        label: The label.
        values: The value; of several checkpoints, a value for each.
        option: The option that sets the value, empty without one.
    """

    label: str
    values: tuple[Value, ...]
    option: str = ""


Lists = list[tuple[str, list[Listed]]]


def setting_lists(settings: Mapping[str, Any]) -> Lists:
    """The settings in lists with a title each, without the margins, which have lists of their own."""
    known = {key: value for key, value in settings.items() if key != "margins"}
    return [
        (
            title,
            [
                Listed(label, (_setting(key, known[key]),), f"--lengthprobe-{key.replace('_', '-')}")
                for key, label in labels.items()
            ],
        )
        for title, labels in _titled(_SETTINGS, known)
    ]


def fact_lists(models: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]) -> Lists:
    """Facts on the checkpoints in lists with a title each: a row for each fact.

    A fact that is empty for all checkpoints is left out, and so is a fact that the settings tell.
    """
    keys = dict.fromkeys(key for identity in models.values() for key in identity)
    rows = {
        key: tuple(_fact(key, identity.get(key)) for identity in models.values())
        for key in keys
        if not all(key in settings and identity.get(key) == settings[key] for identity in models.values())
    }
    rows = {key: values for key, values in rows.items() if any(value.text != _NOTHING for value in values)}
    return [
        (title, [Listed(label, rows[key]) for key, label in labels.items()])
        for title, labels in _titled(_FACTS, rows)
    ]


def value_of(value: object) -> Value:
    """A value of the JSON report in words.

    >>> value_of([3, 4, 5, 9]).text
    '3–5, 9'
    """
    if value is None or value == "" or value == {} or value == []:
        return Value(_NOTHING)
    if isinstance(value, bool):
        return Value("yes" if value else "no")
    if isinstance(value, str):
        return Value(value[:_DIGEST_SHOWN], value) if _DIGEST.fullmatch(value) else Value(value)
    if isinstance(value, Mapping):
        return Value(", ".join(f"{_words(key)} {value_of(item).text}" for key, item in value.items()))
    if isinstance(value, Sequence):
        whole = all(isinstance(item, int) and not isinstance(item, bool) for item in value)
        shown = spans(tuple(value)).replace("-", "–") if whole else ", ".join(map(str, value))
        return Value(shown)
    return Value(f"{value:.3g}" if isinstance(value, float) else str(value))


def _titled(
    titles: Mapping[str, Mapping[str, str]], known: Mapping[str, object]
) -> list[tuple[str, dict[str, str]]]:
    """The labels of the known keys under each title; last the keys without a label of their own."""
    found = [
        (title, {key: label for key, label in labels.items() if key in known})
        for title, labels in titles.items()
    ]
    labelled = {key for labels in titles.values() for key in labels}
    found.append((_FURTHER, {key: _words(key) for key in known if key not in labelled}))
    return [(title, labels) for title, labels in found if labels]


def _setting(key: str, value: object) -> Value:
    return Value(_WITHOUT[key]) if value is None and key in _WITHOUT else value_of(value)


def _fact(key: str, value: object) -> Value:
    """A fact in words: ids of tokens are names, and never shortened to a range."""
    if key == "end_token_ids" and isinstance(value, Sequence) and value:
        return Value(", ".join(map(str, value)))
    if key == "cut_off" and isinstance(value, Mapping) and value:
        return Value(", ".join(f"{code} {100 * share:.3g} %" for code, share in value.items()))
    if key == "unfinished_thoughts" and isinstance(value, Mapping) and value:
        return Value(", ".join(f"{code} {count} of {every}" for code, (count, every) in value.items()))
    if key == "lineage" and value is None:
        return Value("not known")
    return value_of(value)


def _words(key: object) -> str:
    """A name of the JSON report in words."""
    return str(key).removeprefix("n_").replace("_", " ")
