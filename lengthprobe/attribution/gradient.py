"""Gradient: a first-order estimate of how replacing each component's output changes where a model stops.

Attribution patching (Nanda 2023; Syed et al. 2023, arXiv:2310.10348): the estimate for every head and MLP
takes one forward and one backward pass over given rows, where ablation takes a pass for each component.
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
    """Donor rows, whose outputs replace others: the same texts, in the same columns, after other prompts.

    Args:
        input_ids: [n, S]
        attention_mask: [n, S]; where the mask is 0, a component's own output stays.
    """

    input_ids: Tensor
    attention_mask: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class FirstOrder:
    """The estimated change of a metric on n rows, float32, or float64 of a float64 model.

    Args:
        heads: The metric with a head's output replaced, less the metric of the unchanged model, [n, L, H].
        mlps: The metric with an MLP's output replaced, less the metric of the unchanged model, [n, L].
        metric: The metric of the unchanged model, [n].
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
    """First-order changes of a sum of stop margins, by replacing each component's output at every position.

    The metric of a row is Σ_t w_t · margin_t. The margin of a step is the logit of the best end token less
    the logit of the best other token (METHODS §2); the best tokens are chosen in the unchanged model. The
    estimate for a component with the outputs a is Σ (a' − a) · ∂metric/∂a over all positions, where a' are
    the new outputs. The estimate is exact where the metric is linear between a and a'. A replaced output is
    seldom near enough, so the estimate ranks components, and measures none.

    Only gradients of activations are taken, and the model is not changed. For the backward pass, the forward
    pass keeps O(n · S · L · d) numbers, and O(n · H · S²) a layer where attention is computed eagerly. Each
    component's gradient is reduced at once to one number a row. For donors, some 2 · n · S · L · d further
    numbers are kept.

    Args:
        model: A causal model of transformers, of an architecture in `lengthprobe.components.anatomy`, as
            loaded.
        input_ids: Padded on the left, [n, S].
        attention_mask: [n, S]
        weights: The weight of the margin after each column, [n, S].
        end_token_ids: The tokens that end a response.
        replacement: The new outputs: mean outputs, outputs of donors, or by default zeros.

    Raises:
        ModelError: The model's architecture is not known, its weights are not plain (see `anatomy_of`), or no
            gradient passes through a layer, which rounds its inputs for one.
        ValueError: The rows, the weights and the donors do not have one shape, no weight differs from 0, or
            the model is in training mode.
    """
    shapes = {tuple(tensor.shape) for tensor in (input_ids, attention_mask, weights)}
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
        torch.stack([product.to(metric.device) for product in products.heads], 1),
        torch.stack([product.to(metric.device) for product in products.mlps], 1),
        metric.detach(),
    )


class _Given:
    """The new output of every component, layer by layer.

    Args:
        anatomy: The model's components.
        replacement: The argument of `first_order_effects`.
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
        """The new outputs of a layer's heads, less their own outputs, [n, S, H · head_dim]."""
        return _less(self._heads[layer], own)

    def mlp_less(self, layer: int, own: Tensor) -> Tensor:
        """The new output of a layer's MLP, less the MLP's own output, [n, S, d]."""
        return _less(self._mlps[layer], own)


def _less(given: Tensor | None, own: Tensor) -> Tensor:
    return -own if given is None else given.to(own) - own


class _Watcher:
    """A receiver that ignores the embedding and the final stream."""

    def embedding(self, stream: Tensor) -> None:
        """Ignore the embedding."""

    def final(self, stream: Tensor, normed: Tensor) -> None:
        """Ignore the final stream."""


class _Outputs(_Watcher):
    """Keeps every component's output, layer by layer."""

    def __init__(self) -> None:
        self.heads: list[Tensor] = []
        self.mlps: list[Tensor] = []

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:  # noqa: ARG002
        """Keep the heads' outputs; layers come in order."""
        self.heads.append(heads)

    def mlp(self, layer: int, output: Tensor) -> None:  # noqa: ARG002
        """Keep the MLP's output."""
        self.mlps.append(output)


class _Products(_Watcher):
    """Multiplies every component's gradient, during the backward pass, with the change of the output.

    Args:
        anatomy: The model's components.
        given: The new outputs.
        seen: True where the rows have a token, [n, S].
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
        """Hook the gradient of the heads' outputs."""

        def take(gradient: Tensor) -> None:
            change = self._given.heads_less(layer, heads.detach())
            by_head = (len(gradient), gradient.shape[1], self._anatomy.n_heads, self._anatomy.head_dim)
            self.heads[layer] = self._summed((change * gradient).view(by_head), (1, 3))

        self._hook(heads, take, f"heads of layer {layer}")

    def mlp(self, layer: int, output: Tensor) -> None:
        """Hook the gradient of the MLP's output."""

        def take(gradient: Tensor) -> None:
            change = self._given.mlp_less(layer, output.detach())
            self.mlps[layer] = self._summed(change * gradient, (1, 2))

        self._hook(output, take, f"MLP of layer {layer}")

    def final(self, stream: Tensor, normed: Tensor) -> None:  # noqa: ARG002
        """Keep the stream after the final norm."""
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
    chosen = normed[rows.to(normed.device), columns.to(normed.device)]
    margins = stop_margins(readout, chosen, ends)
    sums = torch.zeros(len(weights), dtype=dtype, device=home)
    return sums.index_add(0, rows.to(home), margins * weights[rows, columns].to(home, dtype))


@contextmanager
def _frozen(model: Any) -> Iterator[None]:
    """Switch off the gradients of parameters within the block, so nothing is kept for them."""
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
    """Let gradients reach back to the embedding's output within the block; the list holds this output."""
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
