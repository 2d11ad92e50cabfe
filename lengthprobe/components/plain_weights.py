"""Plain weights: whether a model's components can be read, or are wrapped, quantized or not in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from lengthprobe.checkpoints.quantized.layers import (
    dequantized_matrix,
    error_of,
    format_of,
    is_untouched,
    stands_for_matrix,
)
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_UNQUANTIZED = (
    "attribution needs plain weights: name the unquantized checkpoint; claims about behaviour "
    "(behavior_tests) run on this one"
)
# A share of the output's size. Eight bits round inputs by 1 % of it or more; multiplying in a narrow format
# (TF32 on a GPU) changes less.
_COARSEST_ERROR = 2**-10


def refuse_wrapped(model: Any) -> None:
    """Check that a model is not wrapped by an adapter.

    Raises:
        ModelError: An adapter wraps the model.
    """
    # Not by its `peft_config`: peft 0.18 leaves that on a model whose adapter is merged.
    if any(type(module).__module__.startswith("peft.") for module in model.modules()):
        raise ModelError(
            f"{model_name(model)} is wrapped by an adapter, whose share in each output is its own",
            "merge it first: model = model.merge_and_unload(); or name the adapter's directory",
        )


def check_plain(model: Any, projections: Sequence[Any], unembedding: Any) -> None:
    """Check that the weights read by attribution are plain matrices, or quantized with a known matrix.

    A layer without plain weights is tried: the output must be matrix times input.

    Args:
        model: The model.
        projections: Each layer's output projection, in order.
        unembedding: The module with the logits as output.

    Raises:
        ModelError: A module is quantized or replaced, or rounds its inputs.
    """
    for layer, module in [*enumerate(projections), (None, unembedding)]:
        what = "unembedding" if layer is None else f"attention output projection of layer {layer}"
        weight = getattr(module, "weight", None)
        plain = type(module) in (nn.Linear, Conv1D) and type(getattr(weight, "data", None)) is torch.Tensor
        if plain and weight is not None and weight.is_floating_point():
            # Weights that are elsewhere are refused later.
            if is_untouched(module) or weight.is_meta:
                continue
        # The unembedding's rows are read one by one, as they are stored.
        elif layer is None or not stands_for_matrix(module):
            raise ModelError(
                f"{model_name(model)} keeps the {what} as {_stored_as(module)}: quantized or replaced, "
                "so that no component's share of its output is defined",
                _UNQUANTIZED,
            )
        _try_out(model, what, module, "no component's share of it is defined")


def check_unrounded(model: Any, decoder: Any) -> None:
    """Check that no linear layer of a decoder rounds its inputs: a gradient does not pass through that.

    Where inputs are rounded in steps of a scale, only the gradient of the scale is left.

    Args:
        model: The model.
        decoder: Its decoder. Layers that do not say their matrix are not tried.

    Raises:
        ModelError: A layer does; the message has its name.
    """
    for name, module in decoder.named_modules():
        if type(module) in (nn.Linear, Conv1D):
            weight = module.weight
            if is_untouched(module) or weight.is_meta or not weight.is_floating_point():
                continue
        elif not stands_for_matrix(module):
            continue
        _try_out(model, name, module, "no gradient passes through the layer")


def no_gradient(model: Any, what: str) -> ModelError:
    """The error for a component whose output has no gradient.

    Args:
        model: The model.
        what: The component.
    """
    return ModelError(
        f"{model_name(model)} computes the {what} without a gradient (quantized activations, or a kernel "
        "that has none), so that nothing can be estimated by gradient",
        _UNQUANTIZED,
    )


def _try_out(model: Any, what: str, module: Any, then: str) -> None:
    try:
        error = error_of(module, matrix_of(module))
    # A library's own code runs here, on weights of its own.
    except Exception as raised:
        raise ModelError(
            f"{model_name(model)} keeps the {what} as {_stored_as(module)}, whose weights cannot be read: "
            f"{type(raised).__name__}: {reason(raised)}",
            _UNQUANTIZED,
        ) from raised
    if not error <= max(_COARSEST_ERROR, torch.finfo(format_of(module)).eps):
        raise ModelError(
            f"{model_name(model)} rounds or changes what goes into the {what} (quantized activations): the "
            f"output is not weights times input (off by {100 * error:.2g} % of its size), so that {then}",
            _UNQUANTIZED,
        )


def _stored_as(module: Any) -> str:
    """The class of a layer, with the class of the weights where a library has its own."""
    weight = getattr(module, "weight", None)
    kind = type(getattr(weight, "data", None))
    own = "" if weight is None or kind is torch.Tensor else f" with {kind.__name__}"
    return f"{type(module).__name__}{own}"


def matrix_of(module: Any) -> Tensor:
    """The matrix of a linear layer, outputs first, in the number format of the computation."""
    if stands_for_matrix(module):
        return dequantized_matrix(module)
    weight: Tensor = module.weight
    # A Conv1D keeps it the other way round.
    return weight.T if isinstance(module, Conv1D) else weight


def check_in_memory(model: Any, read: Sequence[Any]) -> None:
    """Check that all weights are in memory; modules that are not read here may be offloaded.

    Args:
        model: The model.
        read: The modules whose weights are read here.

    Raises:
        ModelError: Weights are missing or offloaded.
    """
    own = set(map(id, read))
    for name, module in model.named_modules():
        away = any(parameter.is_meta for parameter in module.parameters(recurse=False))
        # accelerate's hook fetches a module's weights when it is called.
        if away and (id(module) in own or not hasattr(module, "_hf_hook")):
            raise ModelError(
                f"{model_name(model)} has no weights in memory for {name} (meta device, or offloaded)",
                "load it where it fits: setting:device-map=balanced over more GPUs, or =cpu",
            )


def model_name(model: Any) -> str:
    """A model's name, for messages."""
    return str(getattr(model.config, "_name_or_path", "") or type(model).__name__)
