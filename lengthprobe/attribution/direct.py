"""Direct logit attribution of given texts: how much each component of a model raised each of their tokens."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.activations.hooks import KeptOutputs, watch_components
from lengthprobe.attribution.readout import Readout, readout_of
from lengthprobe.attribution.reduction import Reduced, Reduction, Target
from lengthprobe.checkpoints.forward import run_decoder
from lengthprobe.components.anatomy import Anatomy, anatomy_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

TARGETS = ("token", "stop_margin", "written")
# Rows of logits that are held at a time.
_ROWS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """The contribution of each component to the logit of each target: float32, or float64 of a float64 model.

    n rows, T steps, L layers, H query heads a layer; 0 where the mask is.

    Args:
        heads: [n, T, L, H]
        mlps: [n, T, L]
        embedding: [n, T]
        biases: [n, T]
        logits: The centred logit, or the stop margin, from the output of the model's final norm, [n, T]
        mask: True for steps of a response, [n, T]
        rounding: ‖x ⊙ v‖ of METHODS §2: the stream's rounding errors are in proportion to this, [n, T]
    """

    heads: Tensor
    mlps: Tensor
    embedding: Tensor
    biases: Tensor
    logits: Tensor
    mask: Tensor
    rounding: Tensor

    @property
    def total(self) -> Tensor:
        """The sum over all components, [n, T]: equal to `logits` up to rounding (completeness)."""
        return self.heads.sum((-2, -1)) + self.mlps.sum(-1) + self.embedding + self.biases


@torch.no_grad()
def direct_logit_attribution(
    model: Any,
    input_ids: Tensor,
    attention_mask: Tensor,
    start: int,
    *,
    target: str = "token",
    end_token_ids: Sequence[int] | None = None,
    past_key_values: Any = None,
) -> Attribution:
    """Direct logit attribution (METHODS §2; arXiv:2509.02075) of given texts.

    Rows are prompt and response, left-padded so that every response starts at the same column; shorter
    responses are padded on the right. Step t is the prediction of the token at column start + t. The scale of
    the final norm is frozen at its actual value, and so is the scale of a norm between a component and the
    stream. The unembedding is centred. No weights of the model are converted. For the target `token`, every
    output is reduced to scalars at once. For the other targets, the components' outputs at the response's
    positions are kept until the end of the pass, since the best token is known only then.

    Args:
        model: A causal model of transformers, of an architecture in `lengthprobe.components.anatomy`, as
            loaded.
        input_ids: [n, S]
        attention_mask: [n, S], 1 where a token is.
        start: The column of the responses' first token.
        target: `token`: the token in the row. `stop_margin`: the best end token less the best other one
            (ours, METHODS §2). `written`: the token in the row, with any end token replaced by the best end
            token.
        end_token_ids: The tokens that end a response; the generation config's by default.
        past_key_values: A cache of the prompts, of `start` or `start` − 1 columns; the cache is not changed.

    Returns:
        An Attribution of T = S − start steps.

    Raises:
        ModelError: The model's architecture is not known, or its weights are not plain (see `anatomy_of`).
        ValueError: The rows, the mask, `start`, a token or the cache cannot be used; the message says which.
    """
    anatomy = anatomy_of(model)
    ends = _check(model, anatomy, input_ids, attention_mask, start, target, end_token_ids)
    past = None if past_key_values is None else _prompt_cache(past_key_values, start)
    mask = attention_mask[:, start:].bool()
    rows, steps = mask.nonzero(as_tuple=True)
    readout = readout_of(anatomy)
    first = start - 1 if past is not None else 0
    # The last token predicts none that is asked about.
    last = start + int(steps.max()) if len(steps) else start
    places = rows * (last - first) + steps + (start - 1 - first)

    def select(outputs: Tensor) -> Tensor:
        """The positions whose prediction is asked about, [n, S, x] to [m, x]."""
        return outputs.flatten(0, 1).index_select(0, places.to(outputs.device))

    token = input_ids[:, start:][mask].to(anatomy.unembedding.weight.device)
    if target == "token":
        reduction = Reduction(readout, [Target(token)])
        with watch_components(anatomy, _AtOnce(reduction, anatomy, select)):
            run_decoder(
                model, input_ids[:, :last], attention_mask[:, :last], first=first, past_key_values=past
            )
    else:
        kept = KeptOutputs(anatomy, select)
        with watch_components(anatomy, kept):
            run_decoder(
                model, input_ids[:, :last], attention_mask[:, :last], first=first, past_key_values=past
            )
        past = None  # Its memory goes to the logits.
        stop = stop_target(readout, kept.normed, ends)
        written = Target(torch.where(torch.isin(token, ends), stop.token, token))
        reduction = Reduction(readout, [stop if target == "stop_margin" else written])
        kept.take(1, torch.arange(len(rows), device=places.device), reduction)
    (reduced,) = reduction.results()
    return _spread(reduced, mask, input_ids.device)


class _AtOnce:
    """A receiver that reduces each output at once."""

    def __init__(self, reduction: Reduction, anatomy: Anatomy, select: Any) -> None:
        self._reduction = reduction
        self._anatomy = anatomy
        self._select = select

    def embedding(self, stream: Tensor) -> None:
        self._reduction.embedding(self._select(stream))

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:
        norm = self._anatomy.layers[layer].attention_norm
        scale = None
        if norm is not None:
            scale = norm.inverse_scale(self._select(output).to(self._anatomy.dtype))
        self._reduction.heads(layer, self._select(heads), scale)

    def mlp(self, layer: int, output: Tensor) -> None:
        self._reduction.mlp(layer, self._select(output))

    def final(self, stream: Tensor, normed: Tensor) -> None:
        self._reduction.final(self._select(stream), self._select(normed))


def stop_target(readout: Readout, normed: Tensor, ends: Tensor) -> Target:
    """The best end token less the best other token, at each of m positions.

    Args:
        readout: The model's readout.
        normed: The stream after the final norm, [m, d].
        ends: The end tokens.
    """
    unembedding = readout.anatomy.unembedding
    normed = normed.to(unembedding.weight.device)
    best, other = [], []
    for chunk in torch.split(normed, _ROWS):
        logits = unembedding(chunk)
        best.append(ends[logits[:, ends].argmax(-1)])
        logits[:, ends] = -torch.inf
        other.append(logits.argmax(-1))
    return Target(torch.cat(best), torch.cat(other))


def stop_margins(readout: Readout, normed: Tensor, ends: Tensor) -> Tensor:
    """The stop margin at each of m positions (METHODS §2), [m]: gradients pass through the stream alone.

    Args:
        readout: The model's readout.
        normed: The stream after the final norm, [m, d].
        ends: The end tokens.
    """
    normed = normed.to(ends.device)
    with torch.no_grad():
        target = stop_target(readout, normed, ends)
        assert target.less is not None
        direction = readout.unembedding(target.token) - readout.unembedding(target.less)
    margins = (normed.to(readout.anatomy.dtype) * direction).sum(-1)
    own = readout.anatomy.unembedding.bias
    if own is None:
        return margins
    added: Tensor = (own[target.token] - own[target.less]).detach().to(readout.anatomy.dtype)
    return margins + added


def _prompt_cache(past: Any, start: int) -> Any:
    """A cache of the prompt's columns before the last; its tensors are shared with the given cache."""
    stray = {type(layer).__name__ for layer in getattr(past, "layers", [])} - {
        "DynamicLayer",
        "DynamicSlidingWindowLayer",
    }
    if stray or not getattr(past, "layers", None):
        raise ValueError(
            f"past_key_values is a {type(past).__name__} ({', '.join(sorted(stray)) or 'without layers'}): "
            "it is written in place; hand over a DynamicCache, or none"
        )
    length = past.get_seq_length()
    if length not in (start, start - 1):
        raise ValueError(
            f"past_key_values holds {length} columns, and the response starts at column {start}: "
            f"hand over a cache of the prompts' {start - 1} or {start} columns"
        )
    own = copy.copy(past)
    # A dynamic layer makes new tensors when it grows, so that the old ones stay as they are.
    own.layers = [copy.copy(layer) for layer in past.layers]
    if length == start:
        try:
            own.crop(-1)
        except RuntimeError as error:
            raise ValueError(
                f"past_key_values cannot be shortened by a column: {error}; "
                f"hand over a cache of the prompts' first {start - 1} columns"
            ) from error
    return own


def _check(
    model: Any,
    anatomy: Anatomy,
    input_ids: Tensor,
    attention_mask: Tensor,
    start: int,
    target: str,
    end_token_ids: Sequence[int] | None,
) -> Tensor:
    """Refuse arguments without an attribution.

    Returns:
        The end tokens.
    """
    if target not in TARGETS:
        raise ValueError(f"target {target!r} is none of {', '.join(TARGETS)}")
    if input_ids.ndim != 2 or input_ids.shape != attention_mask.shape:
        raise ValueError(
            f"input_ids {tuple(input_ids.shape)} and attention_mask {tuple(attention_mask.shape)} "
            "must be two [n, S] arrays of one shape"
        )
    if not 1 <= start <= input_ids.shape[1]:
        raise ValueError(
            f"start {start} lies outside the rows: a prompt has at least one of their "
            f"{input_ids.shape[1]} columns, so 1 to {input_ids.shape[1]}"
        )
    size = anatomy.unembedding.weight.shape[0]
    stray = input_ids[(input_ids < 0) | (input_ids >= size)]
    if len(stray):
        raise ValueError(f"token {int(stray[0])} in input_ids lies outside the vocabulary of {size}")
    seen = attention_mask.bool()
    holes = seen[:, :-1] & ~seen[:, 1:]
    if (holes[:, : start - 1].any() or not seen[:, start - 1].all()) or bool(
        (~seen[:, start:-1] & seen[:, start + 1 :]).any()
    ):
        raise ValueError(
            "attention_mask has holes: prompts are padded on the left, responses on the right, "
            f"and every row has a token at column start - 1 = {start - 1}"
        )
    if model.training:
        raise ValueError("the model is in training mode, where dropout changes its outputs: model.eval()")
    if target == "token":
        return input_ids.new_empty(0)
    ends = end_token_ids if end_token_ids is not None else model.generation_config.eos_token_id
    ends = [ends] if isinstance(ends, int) else list(ends or [])
    if not ends or not all(0 <= end < size for end in ends):
        raise ValueError(
            f"{target} needs the end tokens, and got {ends}: end_token_ids=[tokenizer.eos_token_id]"
        )
    return torch.tensor(ends, device=anatomy.unembedding.weight.device)


def _spread(reduced: Reduced, mask: Tensor, device: torch.device) -> Attribution:
    """Put the m positions back into n rows of T steps."""

    def rows(values: Tensor) -> Tensor:
        whole = values.new_zeros((*mask.shape, *values.shape[1:]), device=device)
        whole[mask] = values.to(device)
        return whole

    return Attribution(
        heads=rows(reduced.heads),
        mlps=rows(reduced.mlps),
        embedding=rows(reduced.embedding),
        biases=rows(reduced.biases),
        logits=rows(reduced.logits),
        mask=mask,
        rounding=rows(reduced.rounding),
    )
