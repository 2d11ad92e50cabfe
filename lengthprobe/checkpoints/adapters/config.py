"""The config of an adapter, checked before peft builds the adapter."""

from __future__ import annotations

import math
import warnings
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = "adapter_config.json"

# Notes on the file, or companions of a setting that is off: unknown to an older peft, they change nothing.
_INERT = {"peft_version", "runtime_config", "qalora_group_size"}
_NUMBER = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {"bool": (bool,), "int": _NUMBER, "float": _NUMBER, "str": (str,)}
# peft computes with them at once.
_NEEDED = ("r", "lora_alpha", "lora_dropout")
_NAMES = ("target_modules", "exclude_modules", "modules_to_save", "target_parameters")
_NAME_OR_NAMES = ("target_modules", "exclude_modules")
_TOKENS = ("trainable_token_indices", "token_indices")
_PATTERNS = ("rank_pattern", "alpha_pattern")
# Far above any rank in use, and far below what fills a machine's memory.
_HIGHEST_RANK = 2**16


def read_adapter_config(directory: Path) -> dict[str, Any]:
    """The content of an adapter's config file.

    Raises:
        ModelError: The file cannot be read, or holds no JSON object.
    """
    try:
        return read_json(directory / CONFIG)
    except RecursionError as error:
        raise adapter_config_error(directory, "it is nested too deep to be read") from error


def adapter_config_error(directory: Path, problem: str) -> ModelError:
    """The error for an unusable config of an adapter."""
    return ModelError(
        f"{directory / CONFIG} cannot be used: {problem}",
        f"mend {CONFIG}, or restore it from its source (peft writes it with save_pretrained)",
    )


def check_adapter_config(directory: Path) -> dict[str, Any]:
    """The content of an adapter's config file, checked: peft can take each value.

    Raises:
        ModelError: The kind of adapter is unknown, a value is of a wrong type or out of range, a setting is
            unknown to the installed peft, or the adapter acts on a part of the tokens only.
    """
    from peft import PeftConfig
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    config = read_adapter_config(directory)
    kind = config.get("peft_type")
    kinds = {str(getattr(known, "value", known)): cls for known, cls in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
    if not isinstance(kind, str) or kind not in kinds:
        raise adapter_config_error(directory, f"the installed peft knows no peft_type {_short(kind)}")
    types = {field.name: str(getattr(field.type, "__name__", field.type)) for field in fields(kinds[kind])}
    for name, value in config.items():
        if name in types and (wrong := _wrong(kind, name, value, types[name])):
            raise adapter_config_error(directory, f"{name} is {_short(value)}, and {wrong}")
    # peft leaves them out with a warning, and the adapter computes something else.
    if unknown := sorted(name for name in config if config[name] and name not in {*types, *_INERT}):
        raise ModelError(
            f"{directory / CONFIG} has settings that the installed peft does not know for {kind}: "
            f"{', '.join(unknown)}",
            "pip install -U peft, or delete these settings if they are not of peft's making",
        )
    if config.get("alora_invocation_tokens"):
        raise ModelError(
            f"the adapter in {directory} is an activated LoRA (alora_invocation_tokens in {CONFIG}): it acts "
            "after these tokens only, and merged into the weights it would act on every token",
            "train a LoRA without alora_invocation_tokens, or judge its base",
        )
    try:
        with warnings.catch_warnings():
            # Settings that are left out are taken up above; the others concern training.
            warnings.simplefilter("ignore")
            PeftConfig.from_pretrained(str(directory))
    # Each kind checks its settings in its own way.
    except Exception as error:
        raise adapter_config_error(directory, f"{type(error).__name__}: {reason(error)}") from error
    return config


def _wrong(kind: str, name: str, value: Any, type_name: str) -> str | None:
    """The fault of a setting, or None."""
    allowed = _TYPES.get(type_name)
    if value is None:
        return "a number is needed" if name in _NEEDED and allowed else None
    # In Python the text "false" is true.
    if allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)):
        return f"its type is {type_name}"
    if isinstance(value, float) and not math.isfinite(value):
        return "a finite number is needed"
    if name == "r" and allowed:
        # OFT takes its size of blocks instead of a rank where the rank is 0.
        lowest = 0 if kind == "OFT" else 1
        fits = isinstance(value, int) and lowest <= value <= _HIGHEST_RANK
        return None if fits else f"a rank is a whole number from {lowest} to {_HIGHEST_RANK}"
    if name in _NAMES:
        named = isinstance(value, str) and name in _NAME_OR_NAMES
        return (
            None if named or _all(value, lambda item: isinstance(item, str)) else "a list of names is needed"
        )
    if name in _TOKENS:
        lists = list(value.values()) if isinstance(value, dict) else [value]
        fits = all(_all(tokens, lambda token: type(token) is int and token >= 0) for tokens in lists)
        return None if fits else "a list of token ids is needed"
    if name in _PATTERNS:
        numbers = list(value.values()) if isinstance(value, dict) else None
        fits = _all(numbers, lambda number: type(number) in _NUMBER and math.isfinite(number))
        return None if fits else "a number for each name is needed"
    return None


def _all(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:60]}…"
