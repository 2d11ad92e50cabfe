"""Anatomy: the components of a loaded model, found by its architecture (`components.architectures`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.checkpoints.forward import decoder_of
from lengthprobe.checkpoints.quantized.layers import format_of
from lengthprobe.components.architectures import ARCHITECTURES, Architecture
from lengthprobe.components.plain_weights import (
    check_in_memory,
    check_plain,
    matrix_of,
    model_name,
    refuse_wrapped,
)
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """A norm of a loaded model, taken apart into scale, gain and bias.

    Args:
        module: The norm.
        kind: The value of `Architecture.norm`.
    """

    module: Any
    kind: str

    def gain(self, dtype: torch.dtype) -> Tensor:
        """The factor of each dimension, [d]."""
        weight: Tensor = self.module.weight.to(dtype)
        return 1.0 + weight if self.kind == "rms+1" else weight

    def bias(self, dtype: torch.dtype) -> Tensor | None:
        """The bias added at the end, [d], or None."""
        bias = getattr(self.module, "bias", None)
        return None if bias is None else bias.to(dtype)

    @property
    def centres(self) -> bool:
        """Whether the mean over dimensions is taken off first."""
        return self.kind == "layer"

    def inverse_scale(self, stream: Tensor) -> Tensor:
        """The inverse of the divisor of each vector, epsilon included: [..., d] to [...]."""
        epsilon = getattr(self.module, "variance_epsilon", None) or getattr(self.module, "eps", None) or 0.0
        if self.centres:
            return (stream.var(-1, unbiased=False) + epsilon).rsqrt()
        return (stream.pow(2).mean(-1) + epsilon).rsqrt()


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The components of a layer.

    Args:
        projection: The attention's output projection.
        mlp: The module whose output is added to the stream for the MLP.
        attention_norm: The norm after the projection, or None.
        is_linear: Whether the attention is linear: no token then has a share of the attention.
    """

    projection: Any
    mlp: Any
    attention_norm: Norm | None
    is_linear: bool = False

    def output_weight(self, dtype: torch.dtype) -> Tensor:
        """The output projection as a matrix from the heads' outputs to the stream, [d, H · head_dim]."""
        return matrix_of(self.projection).to(dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The components of a loaded model.

    Args:
        architecture: The model_type of the text model's config.
        model: The model.
        layers: The components of each layer, in order.
        block: The first layer's module, whose input is the embedding.
        final_norm: The norm before the unembedding.
        unembedding: The module with the logits as output.
        n_heads: H, query heads a layer.
        head_dim: Width of a head's output.
        width: d, width of the residual stream.
    """

    architecture: str
    model: Any
    layers: tuple[Layer, ...]
    block: Any
    final_norm: Norm
    unembedding: Any
    n_heads: int
    head_dim: int
    width: int

    @property
    def n_layers(self) -> int:
        """L, the number of layers."""
        return len(self.layers)

    @property
    def dtype(self) -> torch.dtype:
        """The number format of attribution: float64 for a float64 model, else float32."""
        return torch.float64 if self.unembedding.weight.dtype == torch.float64 else torch.float32

    @property
    def coarsest(self) -> torch.dtype:
        """The coarsest format of a component's weights, to which the stream is rounded."""
        formats: set[torch.dtype] = {
            self.unembedding.weight.dtype,
            *(format_of(layer.projection) for layer in self.layers),
        }
        return max(formats, key=lambda dtype: torch.finfo(dtype).eps)


def output_of(given: Any) -> Tensor:
    """The output of a component, added to the stream: some mixtures of experts give a tuple."""
    output: Tensor = given[0] if isinstance(given, tuple) else given
    return output


def anatomy_of(model: Any) -> Anatomy:
    """The components of a loaded causal language model.

    Raises:
        ModelError: Its architecture is not known here, or a component is quantized, wrapped by an adapter,
            without weights in memory, or not of the shape that the architecture has.
    """
    shape = model.config.get_text_config()
    refuse_wrapped(model)
    architecture = ARCHITECTURES.get(shape.model_type)
    if architecture is None:
        raise ModelError(
            _unknown(model),
            f"mechanism claims run on: {', '.join(ARCHITECTURES)}; "
            "claims about behaviour (behavior_tests) run on this model too",
        )
    decoder = decoder_of(model)
    blocks = _module(model, decoder, architecture.layers)
    layers = tuple(_layer(model, block, architecture) for block in blocks)
    unembedding = model.get_output_embeddings()
    check_plain(model, [layer.projection for layer in layers], unembedding)
    n_heads = shape.num_attention_heads
    width = unembedding.weight.shape[1]
    head_dim = getattr(shape, "head_dim", None) or width // n_heads
    shapes = {tuple(matrix_of(layer.projection).shape) for layer in layers}
    if shapes != {(width, n_heads * head_dim)}:
        raise ModelError(
            f"{model_name(model)} has other attention heads than {n_heads} of width {head_dim} in every "
            f"layer, as its config says: output projections of shapes {', '.join(map(str, sorted(shapes)))}",
            "attribution needs the same number of heads in every layer: name the model that was not pruned",
        )
    _refuse_split_heads(model, layers, head_dim)
    final_norm = Norm(_module(model, decoder, architecture.final_norm), architecture.norm)
    norms = [layer.attention_norm.module for layer in layers if layer.attention_norm]
    check_in_memory(model, [*(layer.projection for layer in layers), *norms, final_norm.module, unembedding])
    return Anatomy(
        architecture=shape.model_type,
        model=model,
        layers=layers,
        block=blocks[0],
        final_norm=final_norm,
        unembedding=unembedding,
        n_heads=n_heads,
        head_dim=head_dim,
        width=width,
    )


def _layer(model: Any, block: Any, architecture: Architecture) -> Layer:
    norm, linear = architecture.attention_norm, _linear(block, architecture)
    return Layer(
        projection=_module(model, block, linear or architecture.projection),
        mlp=_module(model, block, architecture.mlp),
        attention_norm=Norm(_module(model, block, norm), architecture.norm) if norm else None,
        is_linear=linear is not None,
    )


def _linear(block: Any, architecture: Architecture) -> str | None:
    """The output projection of a layer with linear attention, None for any other."""
    name = architecture.linear_projection
    return name if name and hasattr(block, name.partition(".")[0]) else None


def _refuse_split_heads(model: Any, layers: tuple[Layer, ...], head_dim: int) -> None:
    """Refuse linear attention where a part of a head would be taken for a head.

    Heads of linear attention may be narrower than the heads of other layers: then several, side by side,
    count as a head.
    """
    narrow = getattr(model.config.get_text_config(), "linear_value_head_dim", head_dim)
    if any(layer.is_linear for layer in layers) and head_dim % narrow:
        raise ModelError(
            f"{model_name(model)} has heads of width {narrow} in its layers with linear attention, which do "
            f"not fill heads of width {head_dim}, as its other layers have",
            "claims about behaviour (behavior_tests) run on this model",
        )


def _module(model: Any, within: Any, name: str) -> Any:
    try:
        return within.get_submodule(name)
    except AttributeError as error:
        raise ModelError(
            f"{model_name(model)} has no module {name!r}, where architecture "
            f"{model.config.get_text_config().model_type} keeps it",
            "name a checkpoint of the plain architecture, or write an entry in "
            "lengthprobe/components/architectures.py",
        ) from error


def _unknown(model: Any) -> str:
    config = model.config.get_text_config()
    experts = next(
        (
            name
            for name in ("num_local_experts", "num_experts", "n_routed_experts")
            if getattr(config, name, 0)
        ),
        None,
    )
    kind = ", a mixture of experts" if experts else ""
    return (
        f"{model_name(model)} is of architecture {config.model_type!r}{kind}: "
        "where it keeps its components is not known here"
    )
