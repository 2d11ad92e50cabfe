"""Gradient: a first-order estimate of what replacing each component's output would do to where a model stops.

Attribution patching (Nanda 2023; Syed et al. 2023, arXiv:2310.10348): of every head and MLP at once, in one
forward and one backward pass over given rows, where ablating takes a pass a component.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.activations.hooks import watch_components
from lengthprobe.attribution.direct import stop_margins
from lengthprobe.attribution.readout import readout_of
from lengthprobe.checkpoints.forward import decoder_of, run_decoder
from lengthprobe.components.ablation import MeanOutputs
from lengthprobe.components.anatomy import Anatomy, anatomy_of
from lengthprobe.components.plain_weights import check_unrounded, no_gradient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from lengthprobe.attribution.readout import Readout


@dataclass(frozen=True, slots=True, eq=False)
class Donors:
    """Rows that give outputs in place of others': the same texts, in the same columns, after other prompts.

    Args:
        input_ids: [n, S]
        attention_mask: [n, S]; where it is 0 a component's own output stays.
    """

    input_ids: Tensor
    attention_mask: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class FirstOrder:
    """The estimated change of a metric on n rows, float32, or float64 of a float64 model.

    Args:
        heads: The metric if a head's output were replaced, less the metric as it is, [n, L, H].
        mlps: The same of each MLP, [n, L].
        metric: The metric as it is, [n].
    """

    heads: Tensor
    mlps: Tensor
    metric: Tensor


def first_order_effects(
    model: Any,
    input_ids: Tensor,
    attention_mask: Tensor,
    weights: Tensor,
    *,
    end_token_ids: Sequence[int],
    replacement: MeanOutputs | Donors | None = None,
) -> FirstOrder:
    """What replacing each component's output at every position would do to a sum of stop margins, to first
    order.

    The metric of a row is Σ_t w_t · margin_t, where margin_t is the logit of the best end token less that of
    the best other one (METHODS §2; both as they are best in the row as it is). The estimate for a component
    with the outputs a is Σ (a' − a) · ∂metric/∂a over its positions, a' being what replaces it. It is exact
    where the metric is linear between the two; an output that is replaced whole is seldom that near, so it
    ranks components and measures none.

    Gradients are taken of activations alone, and the model is left as it was. What one forward pass needs for
    its backward pass is kept: O(n · S · L · d) numbers, and O(n · H · S²) a layer where attention is computed
    eagerly. Each component's gradient is reduced to one number as it comes. Donors' outputs are kept too,
    some 2 · n · S · L · d.

    Args:
        model: A causal model of transformers, of an architecture in `lengthprobe.components.anatomy`, as
            loaded.
        input_ids: Padded on the left, [n, S].
        attention_mask: [n, S]
        weights: The weight of the margin after each column, [n, S].
        end_token_ids: The tokens that end a response.
        replacement: What replaces an output: the mean outputs, those of donors, or by default nothing.

    Raises:
        ModelError: The model's architecture is not known, its weights are not plain (see `anatomy_of`), or no
            gradient passes through a layer, which rounds its inputs for one.
        ValueError: The rows, the weights and the donors do not have one shape, no weight differs from 0, or
            the model is in training mode.
    """
    shapes = {tuple(one.shape) for one in (input_ids, attention_mask, weights)}
    if isinstance(replacement, Donors):
        shapes |= {tuple(replacement.input_ids.shape), tuple(replacement.attention_mask.shape)}
    if len(shapes) > 1 or input_ids.ndim != 2:
        raise ValueError(f"rows, weights and donors are of shapes {sorted(shapes)}: one [n, S] for all")
    if not weights.any():
        raise ValueError("every weight is 0: the metric is about no margin at all")
    if model.training:
        raise ValueError("the model is in training mode, where dropout changes its outputs: model.eval()")
    anatomy = anatomy_of(model)
    check_unrounded(model, decoder_of(model))
    ends = torch.tensor(list(end_token_ids), device=anatomy.unembedding.weight.device)
    given = _Given(anatomy, replacement)
    products = _Products(anatomy, given, attention_mask.bool())
    with _frozen(model), torch.enable_grad(), _differentiable_embedding(model) as start:
        with watch_components(anatomy, products):
            run_decoder(model, input_ids, attention_mask)
        metric = _metric(readout_of(anatomy), products.normed, weights, ends)
        torch.autograd.grad(metric.sum(), start)
    return FirstOrder(
        torch.stack([one.to(metric.device) for one in products.heads], 1),
        torch.stack([one.to(metric.device) for one in products.mlps], 1),
        metric.detach(),
    )


class _Given:
    """What is put in place of every component's output, layer by layer.

    Args:
        anatomy: The model's components.
        replacement: As in `first_order_effects`.
    """

    def __init__(self, anatomy: Anatomy, replacement: MeanOutputs | Donors | None) -> None:
        self.seen: Tensor | None = None
        self._heads: Sequence[Tensor | None] = [None] * anatomy.n_layers
        self._mlps: Sequence[Tensor | None] = [None] * anatomy.n_layers
        if isinstance(replacement, MeanOutputs):
            self._heads, self._mlps = replacement.heads, replacement.mlps
        elif replacement is not None:
            self.seen = replacement.attention_mask.bool()
            outputs = _Outputs()
            with torch.no_grad(), watch_components(anatomy, outputs):
                run_decoder(anatomy.model, replacement.input_ids, replacement.attention_mask)
            self._heads, self._mlps = outputs.heads, outputs.mlps

    def heads_less(self, layer: int, own: Tensor) -> Tensor:
        """What replaces a layer's heads, less what they give, [n, S, H · head_dim]."""
        return _less(self._heads[layer], own)

    def mlp_less(self, layer: int, own: Tensor) -> Tensor:
        """What replaces a layer's MLP, less what it gives, [n, S, d]."""
        return _less(self._mlps[layer], own)


def _less(given: Tensor | None, own: Tensor) -> Tensor:
    return -own if given is None else given.to(own) - own


class _Watcher:
    """A receiver that lets pass what it does not watch."""

    def embedding(self, stream: Tensor) -> None:
        """As in `Receiver`."""

    def final(self, stream: Tensor, normed: Tensor) -> None:
        """As in `Receiver`."""


class _Outputs(_Watcher):
    """Keeps every component's output, layer by layer."""

    def __init__(self) -> None:
        self.heads: list[Tensor] = []
        self.mlps: list[Tensor] = []

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:  # noqa: ARG002
        """As in `Receiver`; layers come in order."""
        self.heads.append(heads)

    def mlp(self, layer: int, output: Tensor) -> None:  # noqa: ARG002
        """As in `Receiver`."""
        self.mlps.append(output)


class _Products(_Watcher):
    """Multiplies every component's gradient, when the backward pass brings it, with the change of its output.

    Args:
        anatomy: The model's components.
        given: What replaces their outputs.
        seen: Where the rows have a token, [n, S].
    """

    def __init__(self, anatomy: Anatomy, given: _Given, seen: Tensor) -> None:
        self._anatomy = anatomy
        self._given = given
        self._seen = seen if given.seen is None else seen & given.seen
        nothing = torch.zeros(len(seen), dtype=anatomy.dtype)
        self.heads = [nothing[:, None].expand(-1, anatomy.n_heads)] * anatomy.n_layers  # each [n, H]
        self.mlps = [nothing] * anatomy.n_layers  # each [n]
        self.normed = nothing

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:  # noqa: ARG002
        """As in `Receiver`."""

        def take(gradient: Tensor) -> None:
            change = self._given.heads_less(layer, heads.detach())
            by_head = (len(gradient), gradient.shape[1], self._anatomy.n_heads, self._anatomy.head_dim)
            self.heads[layer] = self._summed((change * gradient).view(by_head), (1, 3))

        self._hook(heads, take, f"heads of layer {layer}")

    def mlp(self, layer: int, output: Tensor) -> None:
        """As in `Receiver`."""

        def take(gradient: Tensor) -> None:
            change = self._given.mlp_less(layer, output.detach())
            self.mlps[layer] = self._summed(change * gradient, (1, 2))

        self._hook(output, take, f"MLP of layer {layer}")

    def final(self, stream: Tensor, normed: Tensor) -> None:  # noqa: ARG002
        """As in `Receiver`."""
        self.normed = normed

    def _hook(self, tensor: Tensor, take: Callable[[Tensor], None], what: str) -> None:
        """Have a component's gradient taken when it comes."""
        if not tensor.requires_grad:
            raise no_gradient(self._anatomy.model, what)
        register: Callable[..., Any] = tensor.register_hook
        register(take)

    def _summed(self, products: Tensor, axes: tuple[int, ...]) -> Tensor:
        seen = self._seen.to(products.device).view(*self._seen.shape, *[1] * (products.dim() - 2))
        # Not a product: padding may hold what is not a number.
        return torch.where(seen, products, 0.0).sum(axes, dtype=self._anatomy.dtype)


def _metric(readout: Readout, normed: Tensor, weights: Tensor, ends: Tensor) -> Tensor:
    """The weighted sum of each row's stop margins, [n]."""
    home, dtype = ends.device, readout.anatomy.dtype
    rows, columns = weights.nonzero(as_tuple=True)
    asked = normed[rows.to(normed.device), columns.to(normed.device)]
    margins = stop_margins(readout, asked, ends)
    found = torch.zeros(len(weights), dtype=dtype, device=home)
    return found.index_add(0, rows.to(home), margins * weights[rows, columns].to(home, dtype))


@contextmanager
def _frozen(model: Any) -> Iterator[None]:
    """While the block lasts, no parameter wants a gradient, so that none is kept anything for."""
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in wanted:
            parameter.requires_grad_(requires_grad=False)
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(requires_grad=True)


@contextmanager
def _differentiable_embedding(model: Any) -> Iterator[list[Tensor]]:
    """While the block lasts, gradients reach back to the embedding's output, which is put into the list."""
    start: list[Tensor] = []

    def hook(_module: object, _args: object, output: Tensor) -> Tensor:
        start[:] = [output.detach().requires_grad_()]
        return start[0]

    register: Callable[..., Any] = model.get_input_embeddings().register_forward_hook
    handle = register(hook)
    try:
        yield start
    finally:
        handle.remove()
