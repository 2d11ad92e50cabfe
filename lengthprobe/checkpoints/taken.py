"""Taken: whether a loaded model has the values of its weight files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_INTEGERS = ("I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64", "BOOL")


def check_parameters(weights: Sequence[Path], model: Any) -> None:
    """Check that a model's parameters have the values of the files: a few values of each tensor.

    Three kinds of tensors are left out: tensors fused with others in the model, tensors on no device, and
    quantized weights, whose values are made anew.

    Args:
        weights: The weight files; only safetensors can be looked into.
        model: The model loaded from the files.

    Raises:
        ModelError: A parameter has other values than the files, or is stored as whole numbers.
    """
    from safetensors import safe_open

    if getattr(model, "_hf_peft_config_loaded", False):
        raise ModelError(
            f"transformers put an adapter on the weights of {weights[0].parent}",
            "move the adapter's files into a folder of their own",
        )
    if getattr(model.config, "quantization_config", None) is not None:
        return
    parameters = dict(model.named_parameters())
    name_of = _names(model, parameters)
    for file in weights:
        if file.suffix != ".safetensors":
            continue
        with safe_open(str(file), framework="pt") as tensors:
            for stored in tensors.keys():  # noqa: SIM118
                parameter = parameters.get(name_of(stored) or "")
                if parameter is None or parameter.is_meta:
                    continue
                values = tensors.get_slice(stored)
                if tuple(values.get_shape()) != tuple(parameter.shape):
                    continue
                if values.get_dtype() in _INTEGERS and parameter.is_floating_point():
                    raise ModelError(
                        f"{stored} is stored as whole numbers ({values.get_dtype()}) in {file}, "
                        "and config.json names no quantization method",
                        "save the weights as floating numbers, or restore quantization_config in config.json",
                    )
                # A single number has no slices.
                _compare(file, stored, values if parameter.dim() else tensors.get_tensor(stored), parameter)


def _compare(file: Path, name: str, stored: Any, parameter: Any) -> None:
    # The two ends of each dimension: rows that were added to an embedding, or a bias in one corner, show.
    for ends in (slice(0, 2), slice(-2, None)):
        corner = tuple(ends for _ in parameter.shape)
        there = parameter.data[corner].cpu()
        here = stored[tuple(slice(*ends.indices(size)) for size in parameter.shape)]
        here = here.to(there.dtype)
        # What is not a number equals nothing; who looks for it comes later.
        if not ((here == there) | ((here != here) & (there != there))).all():
            raise ModelError(
                f"the loaded model has other values for {name} than {file}",
                "transformers loaded it from another file or changed it: look for other weight files in "
                f"{file.parent}, and for keys in config.json that change weights",
            )


def _names(model: Any, parameters: Mapping[str, Any]) -> Callable[[str], str | None]:
    """A function from tensor names in a file to names in a model; None for a tensor changed on loading."""
    prefix = f"{model.base_model_prefix}."

    def own(stored: str) -> str:
        return stored if stored in parameters else prefix + stored

    try:
        from transformers.conversion_mapping import get_model_conversion_mapping
        from transformers.core_model_loading import WeightRenaming, rename_source_key
    except ImportError:
        return own
    # To transformers untyped.
    rename: Any = rename_source_key
    conversions: list[Any] = list(get_model_conversion_mapping(model))
    renamings = [conversion for conversion in conversions if isinstance(conversion, WeightRenaming)]
    others = [conversion for conversion in conversions if not isinstance(conversion, WeightRenaming)]

    def name(stored: str) -> str | None:
        renamed, changed_by = rename(stored, renamings, others)
        return None if changed_by is not None else own(renamed)

    return name
