"""Direct logit attribution in the slowest way: the formulas of METHODS §2, one row, step and head at a time.

It shares nothing with the package, neither code nor the way to the numbers. A row is run alone and without
padding; a head's output is what the output projection makes of its slice, every other slice set to 0; a
token's unembedding is centred by subtracting the mean row; sums are made in float64.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch

from tests.attribution.architectures import HEADS, LAYERS

# Where an architecture keeps: layers, output projection, MLP, norms after these two, final norm.
_MODERN = ("model.layers", "self_attn.o_proj", "mlp", None, None, "model.norm")
_AFTER = ("post_attention_layernorm", "post_feedforward_layernorm")
_NORMS_AFTER = ("model.layers", "self_attn.o_proj", "mlp", *_AFTER, "model.norm")
_PLACES = {
    "llama": _MODERN,
    "mistral": _MODERN,
    "qwen2": _MODERN,
    "qwen3": _MODERN,
    "phi3": _MODERN,
    "gemma2": _NORMS_AFTER,
    "gemma3_text": _NORMS_AFTER,
    "olmo2": _NORMS_AFTER,
    "gpt_neox": ("gpt_neox.layers", "attention.dense", "mlp", None, None, "gpt_neox.final_layer_norm"),
    **dict.fromkeys(("mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "gpt_oss"), _MODERN),
    "qwen3_vl_moe_text": _MODERN,
    "qwen3_5_moe_text": _MODERN,
    "qwen2_vl_text": _MODERN,
    "qwen2_5_vl_text": _MODERN,
    "qwen3_vl_text": _MODERN,
    "qwen3_5_text": _MODERN,
    "gpt2": ("transformer.h", "attn.c_proj", "mlp", None, None, "transformer.ln_f"),
}


@dataclass(frozen=True)
class Expected:
    """What an attribution must be, NaN at the steps that are masked.

    Args:
        heads: [n, T, L, H].
        mlps: [n, T, L], the bias of a down-projection included.
        embedding: [n, T], position embeddings included.
        biases: [n, T]: of the output projections, the final norm and the unembedding.
        logits: [n, T], as the model gives them, centred, before a soft cap.
        mask: [n, T].
    """

    heads: torch.Tensor
    mlps: torch.Tensor
    embedding: torch.Tensor
    biases: torch.Tensor
    logits: torch.Tensor
    mask: torch.Tensor


def brute_force(
    model: Any,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    start: int,
    *,
    target: str = "token",
    end_token_ids: tuple[int, ...] = (),
) -> Expected:
    """The attribution of every step of every row, in float64 from what the model computes in its own."""
    n, width = input_ids.shape
    steps = width - start
    empty = [torch.full((n, steps, *rest), torch.nan, dtype=torch.float64) for rest in _SHAPES]
    expected = Expected(*empty, mask=attention_mask[:, start:].bool())
    for row in range(n):
        present = [column for column in range(width) if attention_mask[row, column]]
        seen = _run(model, input_ids[row, present])
        for step in range(steps):
            if start + step not in present:
                continue
            at = present.index(start + step) - 1
            if target == "token":
                plus, minus = int(input_ids[row, start + step]), None
            else:
                plus, minus = _best_end_and_other(seen["logits"][at], end_token_ids)
            _fill(expected, row, step, model, seen, at, plus, minus)
    return expected


_SHAPES = ((LAYERS, HEADS), (LAYERS,), (), (), ())


def _places(model: Any) -> Any:
    """Where a model keeps its components: the text model of one that sees lies one level down."""
    text = model.config.get_text_config()
    places = _PLACES[text.model_type]
    if text is model.config:
        return places
    return tuple(place and place.replace("model.", "model.language_model.") for place in places)


def _projection(layer: Any, named: str) -> Any:
    """The output projection of a layer, which one with linear attention keeps elsewhere."""
    return layer.linear_attn.out_proj if hasattr(layer, "linear_attn") else layer.get_submodule(named)


def _best_end_and_other(logits: torch.Tensor, ends: tuple[int, ...]) -> tuple[int, int]:
    best_end = max(ends, key=lambda token: float(logits[token]))
    others = [token for token in range(len(logits)) if token not in ends]
    return best_end, max(others, key=lambda token: float(logits[token]))


def _fill(
    expected: Expected, row: int, step: int, model: Any, seen: Any, at: int, plus: int, minus: int | None
) -> None:
    layers, projection, _, after_attention, _, final = _places(model)
    unembedding = model.get_output_embeddings().weight.double()
    u = unembedding[plus] - (unembedding.mean(0) if minus is None else unembedding[minus])
    norm = model.get_submodule(final)

    def effect(part: torch.Tensor) -> float:
        return float(_through_final_norm(norm, part.double(), seen["stream"][at].double()) @ u)

    bias = torch.zeros_like(u)
    for number, layer in enumerate(model.get_submodule(layers)):
        z = seen["z", number][at].double()
        project = copy.deepcopy(_projection(layer, projection)).double()
        constant = project(torch.zeros_like(z))
        scale = torch.ones_like(u)
        if after_attention is not None:
            norm_after = layer.get_submodule(after_attention)
            scale = _gain(norm_after) / _rms(seen["attention", number][at], _epsilon(norm_after))
        bias += scale * constant
        size = len(z) // HEADS
        for head in range(HEADS):
            alone = torch.zeros_like(z)
            alone[head * size : (head + 1) * size] = z[head * size : (head + 1) * size]
            expected.heads[row, step, number, head] = effect(scale * (project(alone) - constant))
        expected.mlps[row, step, number] = effect(seen["mlp", number][at])
    expected.embedding[row, step] = effect(seen["embedding"][at])
    shift = getattr(norm, "bias", None)
    expected.biases[row, step] = effect(bias) + (0.0 if shift is None else float(shift.double() @ u))
    logits = seen["logits"][at].double()
    expected.logits[row, step] = logits[plus] - (logits.mean() if minus is None else logits[minus])
    of_tokens = model.get_output_embeddings().bias
    if of_tokens is not None:
        of_tokens = of_tokens.double()
        expected.biases[row, step] += of_tokens[plus] - (
            of_tokens.mean() if minus is None else of_tokens[minus]
        )


def _through_final_norm(norm: Any, part: torch.Tensor, stream: torch.Tensor) -> torch.Tensor:
    if isinstance(norm, torch.nn.LayerNorm):
        spread = ((stream - stream.mean()) ** 2).mean()
        return norm.weight.double() * (part - part.mean()) / (spread + norm.eps) ** 0.5
    return _gain(norm) * part / _rms(stream, _epsilon(norm))


def _gain(norm: Any) -> torch.Tensor:
    return norm.weight.double() + (1.0 if type(norm).__name__.startswith(("Gemma", "Qwen3_5")) else 0.0)


def _epsilon(norm: Any) -> float:
    return norm.variance_epsilon if hasattr(norm, "variance_epsilon") else norm.eps


def _rms(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    return (x.double().pow(2).sum() / len(x) + epsilon) ** 0.5


def _run(model: Any, tokens: torch.Tensor) -> dict[Any, torch.Tensor]:
    """What the components of a model give for one row: everything [positions, …]."""
    layers, projection, mlp, _, after_mlp, final = _places(model)
    seen: dict[Any, torch.Tensor] = {}

    def keep_input(key: Any) -> Any:
        return lambda _module, args: seen.__setitem__(key, args[0][0])

    def keep_output(key: Any) -> Any:
        def keep(_module: Any, _args: Any, output: Any) -> None:
            # Some mixtures of experts give what the router says beside what they add.
            seen[key] = (output[0] if isinstance(output, tuple) else output)[0]

        return keep

    hooks = [
        model.get_submodule(layers)[0].register_forward_pre_hook(keep_input("embedding")),
        model.get_submodule(final).register_forward_pre_hook(keep_input("stream")),
        model.get_output_embeddings().register_forward_hook(keep_output("logits")),
    ]
    for number, layer in enumerate(model.get_submodule(layers)):
        hooks += [
            _projection(layer, projection).register_forward_pre_hook(keep_input(("z", number))),
            _projection(layer, projection).register_forward_hook(keep_output(("attention", number))),
            layer.get_submodule(after_mlp or mlp).register_forward_hook(keep_output(("mlp", number))),
        ]
    try:
        with torch.no_grad():
            model(tokens[None], use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return seen
