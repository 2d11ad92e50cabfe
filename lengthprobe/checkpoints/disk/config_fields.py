"""The fields of a config.json: impossible values, and the field at fault after a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from transformers import PretrainedConfig

SENSES = ("vision_config", "audio_config", "video_config", "speech_config")
_OBJECTS = (*SENSES, "text_config", "quantization_config")
# What transformers multiplies, divides by and allocates.
_COUNTS = (
    *("hidden_size", "intermediate_size", "vocab_size", "head_dim", "max_position_embeddings"),
    *("num_hidden_layers", "num_attention_heads", "num_key_value_heads"),
    *("n_embd", "n_layer", "n_head", "n_positions", "n_inner"),
)
# More than any tensor has, and less than an allocator stumbles over. A context may be stated as endless.
_MOST = 2**31
_ENDLESS = ("max_position_embeddings", "n_positions")
_SHOWN = 60


def check_fields(path: Path, stated: dict[str, Any]) -> None:
    """Check the counts of a config.json, and the fields that decide how all others are read.

    Args:
        path: The config.json.
        stated: The content of the file.

    Raises:
        ModelError: A field has an impossible value; the message names the key.
    """
    names = stated.get("architectures")
    if names is not None and not _is_names(names):
        raise _wrong(path, "architectures", names, 'a list with the name of a class is needed: ["…"]')
    if "model_type" not in stated:
        raise ModelError(
            f"{path} cannot be used: it names no model_type",
            'write "model_type" into it, or restore the config.json of these weights',
        )
    kind = stated["model_type"]
    if not isinstance(kind, str) or not kind:
        raise _wrong(path, "model_type", kind, "the name of an architecture is needed")
    for key in _OBJECTS:
        if not isinstance(stated.get(key), dict | None):
            raise _wrong(path, key, stated[key], "an object is needed: {…}")
    for prefix, part in _parts(stated):
        for key in _COUNTS:
            value = part.get(key)
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            if value < 1 or (value > _MOST and key not in _ENDLESS):
                raise _wrong(path, prefix + key, value, f"a number from 1 to {_MOST:,} is needed")


def config_error(path: Path, stated: dict[str, Any], error: Exception) -> ModelError:
    """The error for a config.json that transformers refuses; the message names the key at fault.

    Args:
        path: The config.json.
        stated: The content of the file.
        error: The error of transformers.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind = stated.get("model_type")
    if kind not in CONFIG_MAPPING:
        return ModelError(
            f"{path} cannot be used: the installed transformers does not know model_type {_short(kind)}",
            "pip install --upgrade transformers if the architecture is a new one; "
            "else correct model_type in config.json",
        )

    def is_refused(trial: dict[str, Any]) -> bool:
        return _is_raised(lambda: _read(trial))

    return _at_fault(path, stated, is_refused, error)


def build_error(
    path: Path, stated: dict[str, Any], config: PretrainedConfig, error: Exception
) -> ModelError | None:
    """The error for a config.json from which no model can be built, None where a model can.

    Args:
        path: The config.json.
        stated: The content of the file.
        config: The content, as transformers reads it.
        error: The error when the model was loaded.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    # A library that is not there is no fault of the file.
    if isinstance(error, ImportError) or stated.get("model_type") not in CONFIG_MAPPING:
        return None
    if not _is_raised(lambda: _build(config)):
        return None
    return _at_fault(path, stated, lambda trial: _is_raised(lambda: _build(_read(trial))), error)


def _at_fault(
    path: Path, stated: dict[str, Any], fails: Callable[[dict[str, Any]], bool], error: Exception
) -> ModelError:
    said = f"{type(error).__name__}: {reason(error)}"
    # Where the whole file does not fail by itself, no field of it is to be blamed.
    culprit = _culprit(stated, fails, said) if fails(stated) else None
    newer = _is_newer(stated.get("transformers_version"))
    update = "; or, as a newer transformers wrote it: pip install --upgrade transformers" if newer else ""
    if culprit is None:
        return ModelError(
            f"{path} cannot be used: {said}", f"restore the config.json of these weights{update}"
        )
    key, value = culprit
    return ModelError(
        f"{path} cannot be used: {key} is {_short(value)}: {said}",
        f"correct {key} in config.json, or restore the config.json of these weights{update}",
    )


def _culprit(
    stated: dict[str, Any], fails: Callable[[dict[str, Any]], bool], said: str
) -> tuple[str, Any] | None:
    """The first field without which a config does not fail; fields named in the message are tried first."""
    for key in sorted(stated, key=lambda key: (key not in said, isinstance(stated[key], dict))):
        if key == "model_type":
            continue
        rest = {name: value for name, value in stated.items() if name != key}
        if fails(rest):
            continue
        value = stated[key]
        if isinstance(value, dict):

            def inner_fails(trial: dict[str, Any], key: str = key) -> bool:
                return fails(stated | {key: trial})

            if inner := _culprit(value, inner_fails, said):
                return f"{key}.{inner[0]}", inner[1]
        return key, value
    return None


def _parts(stated: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "", stated
    text = stated.get("text_config")
    if isinstance(text, dict):
        yield "text_config.", text


def _read(stated: dict[str, Any]) -> PretrainedConfig:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    # Some classes change what they are given.
    config: PretrainedConfig = CONFIG_MAPPING[stated["model_type"]].from_dict(dict(stated))
    return config


def _build(config: PretrainedConfig) -> None:
    """Build a model without memory for its parameters."""
    import copy

    import torch

    from lengthprobe.checkpoints.text_alone import auto_class

    with torch.device("meta"):
        auto_class(config).from_config(copy.deepcopy(config))


def _is_raised(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    # Every architecture checks its own fields, with exceptions of its own choice.
    except Exception:
        return True
    return False


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)


def _is_newer(version: object) -> bool:
    """Whether a version of transformers is newer than the installed version."""
    import transformers
    from packaging.version import InvalidVersion, parse

    try:
        return isinstance(version, str) and parse(version) > parse(transformers.__version__)
    except InvalidVersion:
        return False


def _wrong(path: Path, key: str, value: object, needed: str) -> ModelError:
    return ModelError(
        f"{path} cannot be used: {key} is {_short(value)}, and {needed}",
        f"correct {key} in config.json, or restore the config.json of these weights",
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < _SHOWN else f"{text[:_SHOWN]}…"
