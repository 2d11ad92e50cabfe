"""The config of an adapter, checked before peft builds anything from it."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError
from lengthprobe.models.weights import read_json

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "adapter_config.json"

# Notes about the file, or companions of a setting that is off: unknown to an older peft, they change nothing.
_INERT = {"peft_version", "runtime_config", "qalora_group_size"}
_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int, float),
    "float": (int, float),
    "str": (str,),
}
_NAMES = (
    "target_modules",
    "modules_to_save",
    "exclude_modules",
    "target_parameters",
    "trainable_token_indices",
)
_PATTERNS = ("rank_pattern", "alpha_pattern")


def read_adapter_config(directory: Path) -> dict[str, Any]:
    """What an adapter's config file holds.

    Raises:
        ModelError: The file cannot be read, or holds no JSON object.
    """
    try:
        return read_json(directory / CONFIG)
    except RecursionError as error:
        raise unusable(directory, "it is nested too deep to be read") from error


def unusable(directory: Path, problem: str) -> ModelError:
    """The error for an adapter's config that cannot be used."""
    return ModelError(
        f"{directory / CONFIG} cannot be used: {problem}",
        f"mend {CONFIG}, or restore it from its source (peft writes it with save_pretrained)",
    )


def check_adapter_config(directory: Path) -> dict[str, Any]:
    """What an adapter's config file holds, each value of a kind that peft can take.

    Raises:
        ModelError: Its kind of adapter is unknown, a value is of a wrong type or out of range, a setting is
            unknown to the installed peft, or it says that the adapter is not always active.
    """
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    config = read_adapter_config(directory)
    kind = config.get("peft_type")
    kinds = {str(getattr(known, "value", known)): cls for known, cls in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
    if not isinstance(kind, str) or kind not in kinds:
        raise unusable(directory, f"peft knows no peft_type {kind!r} (it knows {', '.join(sorted(kinds))})")
    types = {field.name: str(getattr(field.type, "__name__", field.type)) for field in fields(kinds[kind])}
    for name, value in config.items():
        _check_value(directory, name, value, types)
    # peft leaves them out with a warning, and the adapter computes something else.
    if unknown := sorted(name for name in config if config[name] and name not in {*types, *_INERT}):
        raise ModelError(
            f"{directory / CONFIG} has settings that the installed peft does not know: {', '.join(unknown)}",
            "pip install -U peft, or delete these settings if they are not of peft's making",
        )
    if config.get("alora_invocation_tokens"):
        raise ModelError(
            f"the adapter in {directory} is an activated LoRA (alora_invocation_tokens in {CONFIG}): it acts "
            "after these tokens only, and merged into the weights it would act on every token",
            "train a LoRA without alora_invocation_tokens, or judge its base",
        )
    return config


def _check_value(directory: Path, name: str, value: Any, types: dict[str, str]) -> None:
    allowed = _TYPES.get(types.get(name, ""))
    if value is None:
        if name == "r":
            raise unusable(directory, "r is null")
    # A JSON string "false" is true in Python.
    elif allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)):
        raise unusable(directory, f"{name} is {_short(value)}, which is no {types[name]}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise unusable(directory, f"{name} is {value}")
    elif name == "r" and (not isinstance(value, int) or value < 1) and types.get("r") == "int":
        raise unusable(directory, f"r is {value}, and a rank is a whole number of at least 1")
    elif name in _NAMES and name in types:
        _check_names(directory, name, value)
    elif name in _PATTERNS and name in types:
        numbers = list(value.values()) if isinstance(value, dict) else [None]
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
            raise unusable(directory, f"{name} is {_short(value)}, and not a number for each name")


def _check_names(directory: Path, name: str, value: Any) -> None:
    """Check what may be a name, a list, or for tokens a list for each layer."""
    if isinstance(value, str):
        return
    if name == "trainable_token_indices":
        lists = list(value.values()) if isinstance(value, dict) else [value]
        tokens = [token for one in lists for token in (one if isinstance(one, list) else [None])]
        if not all(isinstance(token, int) and not isinstance(token, bool) and token >= 0 for token in tokens):
            raise unusable(directory, f"{name} is {_short(value)}, and not a list of token ids")
    elif not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise unusable(directory, f"{name} is {_short(value)}, and not a list of names")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:60]}…"
