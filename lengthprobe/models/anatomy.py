"""Anatomy: where each family of models keeps the parts whose outputs add up to the residual stream.

To add a family, write one entry in `FAMILIES`; completeness proves it when a checkpoint is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Family:
    """Where the models of one family keep their parts, as dotted module names.

    Args:
        layers: The list of layers, from the model.
        projection: The attention's output projection, from a layer: its input is the heads' outputs, side by
            side; what it adds is theirs, and its bias.
        mlp: What adds the MLP's output to the stream, from a layer: the MLP, or the norm that follows it.
        final_norm: The norm before the unembedding, from the model.
        norm: `rms` (gain w), `rms+1` (gain 1 + w), or `layer` (LayerNorm: mean, gain, bias).
        attention_norm: The norm between the output projection and the stream, from a layer; None without one.
    """

    layers: str = "model.layers"
    projection: str = "self_attn.o_proj"
    mlp: str = "mlp"
    final_norm: str = "model.norm"
    norm: str = "rms"
    attention_norm: str | None = None


_LLAMA_LIKE = Family()
_GEMMA = Family(norm="rms+1", attention_norm="post_attention_layernorm", mlp="post_feedforward_layernorm")

# By the config's model_type.
FAMILIES: dict[str, Family] = {
    "llama": _LLAMA_LIKE,
    "mistral": _LLAMA_LIKE,
    "qwen2": _LLAMA_LIKE,
    "qwen3": _LLAMA_LIKE,
    "phi3": _LLAMA_LIKE,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "olmo2": Family(attention_norm="post_attention_layernorm", mlp="post_feedforward_layernorm"),
    "gpt_neox": Family(
        layers="gpt_neox.layers",
        projection="attention.dense",
        final_norm="gpt_neox.final_layer_norm",
        norm="layer",
    ),
    "gpt2": Family(
        layers="transformer.h", projection="attn.c_proj", final_norm="transformer.ln_f", norm="layer"
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """A norm of a loaded model, taken apart into scale, gain and bias.

    Args:
        module: The norm.
        kind: As `Family.norm`.
    """

    module: Any
    kind: str

    def gain(self, dtype: torch.dtype) -> Tensor:
        """What each dimension is multiplied with, [d]."""
        weight: Tensor = self.module.weight.to(dtype)
        return 1.0 + weight if self.kind == "rms+1" else weight

    def bias(self, dtype: torch.dtype) -> Tensor | None:
        """What is added afterwards, [d], or None."""
        bias = getattr(self.module, "bias", None)
        return None if bias is None else bias.to(dtype)

    @property
    def centres(self) -> bool:
        """Whether the mean over dimensions is taken off first."""
        return self.kind == "layer"

    def inverse_scale(self, stream: Tensor) -> Tensor:
        """One over what a vector is divided by, epsilon included: [..., d] to [...]."""
        epsilon = getattr(self.module, "variance_epsilon", None) or getattr(self.module, "eps", None) or 0.0
        if self.centres:
            return (stream.var(-1, unbiased=False) + epsilon).rsqrt()
        return (stream.pow(2).mean(-1) + epsilon).rsqrt()


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The parts of one layer.

    Args:
        projection: The attention's output projection.
        mlp: What adds the MLP's output to the stream.
        attention_norm: The norm after the projection, or None.
    """

    projection: Any
    mlp: Any
    attention_norm: Norm | None

    def output_weight(self, dtype: torch.dtype) -> Tensor:
        """The output projection as a matrix from the heads' outputs to the stream, [d, H · head_dim]."""
        weight: Tensor = self.projection.weight
        # A Conv1D keeps it the other way round.
        return (weight.T if isinstance(self.projection, Conv1D) else weight).to(dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The parts of a loaded model.

    Args:
        family: The config's model_type.
        model: The model.
        layers: The parts of each layer, in order.
        block: The first layer's module, whose input is the embedding.
        final_norm: The norm before the unembedding.
        unembedding: The module that gives the logits.
        n_heads: H, query heads a layer.
        head_dim: Width of a head's output.
        width: d, width of the residual stream.
    """

    family: str
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
        """In what attribution is computed: float64 for a float64 model, else float32."""
        return torch.float64 if self.unembedding.weight.dtype == torch.float64 else torch.float32

    @property
    def coarsest(self) -> torch.dtype:
        """The coarsest format of a part's weights, to which the stream is rounded."""
        formats: set[torch.dtype] = {
            self.unembedding.weight.dtype,
            *(layer.projection.weight.dtype for layer in self.layers),
        }
        return max(formats, key=lambda one: torch.finfo(one).eps)


def anatomy_of(model: Any) -> Anatomy:
    """The parts of a loaded causal language model.

    Raises:
        ModelError: Its family is not known here, or a part is quantized, wrapped by an adapter, without
            weights in memory, or not of the shape that the family has.
    """
    shape = model.config.get_text_config()
    _refuse_wrapped(model)
    family = FAMILIES.get(model.config.model_type)
    if family is None:
        raise ModelError(
            _unknown(model),
            f"mechanism claims run on: {', '.join(FAMILIES)}; "
            "claims about behaviour (behavior_tests) run on this model too",
        )
    blocks = _part(model, model, family.layers)
    layers = tuple(_layer(model, block, family) for block in blocks)
    unembedding = model.get_output_embeddings()
    _check_weights(model, layers, unembedding)
    n_heads = shape.num_attention_heads
    width = unembedding.weight.shape[1]
    head_dim = getattr(shape, "head_dim", None) or width // n_heads
    shapes = {tuple(layer.output_weight(layer.projection.weight.dtype).shape) for layer in layers}
    if shapes != {(width, n_heads * head_dim)}:
        raise ModelError(
            f"{_called(model)} has other attention heads than {n_heads} of width {head_dim} in every layer, "
            f"as its config says: output projections of shapes {', '.join(map(str, sorted(shapes)))}",
            "attribution needs the same number of heads in every layer: name the model that was not pruned",
        )
    final_norm = Norm(_part(model, model, family.final_norm), family.norm)
    norms = [layer.attention_norm.module for layer in layers if layer.attention_norm]
    _check_in_memory(model, [*(layer.projection for layer in layers), *norms, final_norm.module, unembedding])
    return Anatomy(
        family=model.config.model_type,
        model=model,
        layers=layers,
        block=blocks[0],
        final_norm=final_norm,
        unembedding=unembedding,
        n_heads=n_heads,
        head_dim=head_dim,
        width=width,
    )


def _layer(model: Any, block: Any, family: Family) -> Layer:
    norm = family.attention_norm
    return Layer(
        projection=_part(model, block, family.projection),
        mlp=_part(model, block, family.mlp),
        attention_norm=Norm(_part(model, block, norm), family.norm) if norm else None,
    )


def _part(model: Any, within: Any, name: str) -> Any:
    try:
        return within.get_submodule(name)
    except AttributeError as error:
        raise ModelError(
            f"{_called(model)} has no module {name!r}, where family {model.config.model_type} keeps it",
            "name a checkpoint of the plain architecture, or write an entry in lengthprobe/models/anatomy.py",
        ) from error


def _refuse_wrapped(model: Any) -> None:
    if hasattr(model, "peft_config") or any(
        type(module).__module__.startswith("peft.") for module in model.modules()
    ):
        raise ModelError(
            f"{_called(model)} is wrapped by an adapter, whose part in each output is its own",
            "merge it first: model = model.merge_and_unload(); or name the adapter's directory",
        )


def _check_weights(model: Any, layers: tuple[Layer, ...], unembedding: Any) -> None:
    for at, module in [*((i, layer.projection) for i, layer in enumerate(layers)), (None, unembedding)]:
        what = "unembedding" if at is None else f"attention output projection of layer {at}"
        if type(module) not in (nn.Linear, Conv1D) or not module.weight.is_floating_point():
            raise ModelError(
                f"{_called(model)} keeps the {what} as {type(module).__name__}: quantized or replaced, "
                "so that no part's share of its output is defined",
                "attribution needs plain weights: load it unquantized (--lengthprobe-dtype=bfloat16)",
            )


def _check_in_memory(model: Any, read: list[Any]) -> None:
    """Refuse weights that are nowhere; or offloaded, where they are read here and not by their module."""
    own = set(map(id, read))
    for name, module in model.named_modules():
        away = any(parameter.is_meta for parameter in module.parameters(recurse=False))
        # accelerate's hook fetches a module's weights when it is called.
        if away and (id(module) in own or not hasattr(module, "_hf_hook")):
            raise ModelError(
                f"{_called(model)} has no weights in memory for {name} (meta device, or offloaded)",
                "load it where it fits: --lengthprobe-device-map=balanced over more GPUs, or =cpu",
            )


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
        f"{_called(model)} is of family {model.config.model_type!r}{kind}: "
        "where it keeps its parts is not known here"
    )


def _called(model: Any) -> str:
    return str(getattr(model.config, "_name_or_path", "") or type(model).__name__)
