"""Sizes: the config's sizes compared with the weights, before any memory is taken."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.headers import tensors_of
from lengthprobe.checkpoints.text_alone import auto_class
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PretrainedConfig

_LAYER = re.compile(r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\.")
_N_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
# No model is deeper by far. Fewer layers than this cost little to build.
_MANY_LAYERS = 1000
# Tied weights are stored once; beyond twice what is stored, a config is of another model.
_MOST = 2
# Of quantized weights every bit may be a number.
_BITS = 8


def has_many_layers(stated: dict[str, Any]) -> bool:
    """Whether a config.json asks for so many layers that the weights are looked at first."""
    return any(count > _MANY_LAYERS for _, count in _layers(stated))


def refuse_layers(path: Path, stated: dict[str, Any], weights: Sequence[Path]) -> None:
    """Check that a config does not ask for many more layers than the weights have.

    Args:
        path: The config.json.
        stated: The content of the file.
        weights: The weight files; only safetensors can be looked into.

    Raises:
        ModelError: The config asks for many more.
    """
    stored = [
        int(match[1])
        for file in weights
        if file.suffix == ".safetensors"
        for name in tensors_of(file)
        if (match := _LAYER.search(name))
    ]
    if not stored:
        return
    for key, count in _layers(stated):
        if count > _MOST * (max(stored) + 1):
            raise ModelError(
                f"{path} asks for {count:,} layers ({key}), and the weights hold {max(stored) + 1}",
                f"correct {key}, or restore the config.json of these weights",
            )


def refuse_size(path: Path, config: PretrainedConfig, weights: Sequence[Path], *, trusted: bool) -> None:
    """Check that a config does not ask for many more parameters than the weights have.

    The model is built without memory for the parameters, and the parameters are counted.

    Args:
        path: The config.json.
        config: The architecture.
        weights: The weight files; only safetensors can be looked into.
        trusted: Whether the checkpoint's own code may run.

    Raises:
        ModelError: The config asks for many more; the message names the model's largest tensor, with its
            stored shape.
    """
    import torch

    if any(file.suffix != ".safetensors" for file in weights):
        return
    stored = {name: tensor for file in weights for name, tensor in tensors_of(file).items()}
    if getattr(config, "quantization_config", None):
        most = _BITS * sum(entry.end - entry.start for entry in stored.values())
    else:
        most = _MOST * sum(entry.elements for entry in stored.values())
    try:
        with torch.device("meta"):
            # Building writes a number format into a config that states none.
            model = auto_class(config).from_config(copy.deepcopy(config), trust_remote_code=trusted)
    # Loading says better what an architecture objects to.
    except Exception:
        return
    parameters = dict(model.named_parameters())
    parameter_count = sum(parameter.numel() for parameter in parameters.values())
    if parameter_count <= most:
        return
    name, largest = max(parameters.items(), key=lambda item: item[1].numel())
    held = f"; the weights have it as {list(stored[name].shape)}" if name in stored else ""
    raise ModelError(
        f"{path} asks for {parameter_count:,} parameters, and the weights hold "
        f"{sum(entry.elements for entry in stored.values()):,}: {name} would be {list(largest.shape)}{held}",
        f"correct the sizes in {path.name}, or restore the config.json of these weights",
    )


def _layers(stated: dict[str, Any]) -> list[tuple[str, int]]:
    """The numbers of layers in a config.json, with the numbers of the text model."""
    text = stated.get("text_config")
    parts = [("", stated), *([("text_config.", text)] if isinstance(text, dict) else [])]
    return [
        (prefix + key, count)
        for prefix, part in parts
        for key in _N_LAYERS
        if isinstance(count := part.get(key), int)
    ]
