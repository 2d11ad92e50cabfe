"""Forcing: a model reads its own responses again, and ablating a component takes a single forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lengthprobe.activations.hooks import watch_components
from lengthprobe.attribution.direct import stop_margins
from lengthprobe.attribution.gradient import Donors, FirstOrder, first_order_effects
from lengthprobe.attribution.readout import Readout, readout_of
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.forward import run_decoder
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.donors import donor_tokens, surgery_on
from lengthprobe.errors import ModelError
from lengthprobe.generation.rows import in_batches, pad, run_in_halves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.ablation import MeanOutputs
    from lengthprobe.components.names import Ablation
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Response


def margins_under(
    checkpoint: Checkpoint,
    asked: Sequence[tuple[Response, Ablation]],
    settings: Settings,
    *,
    means: Callable[[], MeanOutputs],
) -> list[list[float]]:
    """The stop margin (METHODS §2) at every step of some responses, each under an ablation of its own.

    A margin above 0 would end the answer at its step. All rows take a single forward pass, or several passes
    where memory is short. Logits are computed at the responses' positions alone.

    Args:
        checkpoint: The checkpoint that wrote the responses.
        asked: The responses, each with its ablation.
        settings: The settings, of which the prompt form and the system prompt count.
        means: Gives the mean outputs, where an ablation wants them.

    Returns:
        For each response T + 1 margins: before each of its T tokens, and after the last.

    Raises:
        ModelError: Memory is out for a single row.
    """
    readout = readout_of(anatomy_of(checkpoint.model))

    def run(some: Sequence[tuple[Response, Ablation]]) -> list[list[float]]:
        return _margins(checkpoint, readout, some, settings, means)

    return run_in_halves(asked, run, lambda _one: _too_large(checkpoint))


def estimate_first_order(
    checkpoint: Checkpoint,
    responses: Sequence[Response],
    weights: Sequence[Sequence[float]],
    mode: str,
    settings: Settings,
    *,
    means: Callable[[], MeanOutputs],
    batch_size: int,
) -> FirstOrder:
    """First-order estimates of the effect of ablating each component on the stop, response by response.

    Args:
        checkpoint: The checkpoint that wrote the responses.
        responses: The responses.
        weights: For each response the weights of the margins, step by step
            (`attribution.cumulative.stop_weights`).
        mode: The mode of ablation, as in `Probe.ablated`.
        settings: The settings, of which the prompt form and the system prompt count.
        means: Gives the mean outputs, where the mode wants them.
        batch_size: Most rows at once.

    Raises:
        ModelError: Memory is out for a single row.
    """

    def run(some: Sequence[tuple[Response, Sequence[float]]]) -> list[FirstOrder]:
        texts = [one.token_ids for one, _ in some]
        prompts = [render(checkpoint, one.prompt, settings) for one, _ in some]
        replacement: MeanOutputs | Donors | None = means() if mode == "mean" else None
        rows = pad(checkpoint, prompts, texts)
        if mode == "resample":
            donors = [donor_tokens(checkpoint, one.prompt, settings) for one, _ in some]
            both = pad(checkpoint, [*prompts, *donors], [*texts, *texts])
            rows, theirs = both.of(slice(len(some))), both.of(slice(len(some), None))
            replacement = Donors(theirs.input_ids, theirs.attention_mask)
        placed = torch.zeros(rows.input_ids.shape, device=rows.input_ids.device)
        for at, (_, weight) in enumerate(some):
            # The margin at a step is read off the column before the step.
            placed[at, rows.start - 1 : rows.start - 1 + len(weight)] = torch.tensor(weight)
        return [
            first_order_effects(
                checkpoint.model,
                rows.input_ids,
                rows.attention_mask,
                placed,
                end_token_ids=checkpoint.end_token_ids,
                replacement=replacement,
            )
        ]

    asked = list(zip(responses, weights, strict=True))
    found = in_batches(asked, batch_size, run, lambda _one: _too_large(checkpoint))
    return FirstOrder(
        *(torch.cat([getattr(one, name).cpu() for one in found]) for name in ("heads", "mlps", "metric"))
    )


@torch.inference_mode()
def _margins(
    checkpoint: Checkpoint,
    readout: Readout,
    asked: Sequence[tuple[Response, Ablation]],
    settings: Settings,
    means: Callable[[], MeanOutputs],
) -> list[list[float]]:
    anatomy = readout.anatomy
    texts = [one.token_ids for one, _ in asked]
    ablations = tuple(ablation for _, ablation in asked)
    prompts = [render(checkpoint, one.prompt, settings) for one, _ in asked]
    surgery = surgery_on(
        checkpoint, anatomy, [one.prompt for one, _ in asked], ablations, settings, means=means
    )
    donors = surgery.donors
    rows = pad(checkpoint, [*prompts, *donors], texts * 2 if donors else texts)
    places = [
        at * rows.input_ids.shape[1] + rows.start - 1 + step
        for at, text in enumerate(texts)
        for step in range(len(text) + 1)
    ]
    chosen = torch.tensor(places)
    final = _Final(lambda outputs: outputs.flatten(0, 1).index_select(0, chosen.to(outputs.device)))
    with surgery.applied(rows.donors_seen(len(asked))), watch_components(anatomy, final):
        run_decoder(checkpoint.model, rows.input_ids, rows.attention_mask)
    ends = torch.tensor(list(checkpoint.end_token_ids), device=anatomy.unembedding.weight.device)
    margins = stop_margins(readout, final.normed, ends)
    each = torch.split(margins.cpu(), [len(text) + 1 for text in texts])
    return [one.tolist() for one in each]


class _Final:
    """A receiver that keeps the final norm's output at some positions."""

    def __init__(self, select: Callable[[Tensor], Tensor]) -> None:
        self._select = select
        self.normed = torch.zeros(0)

    def embedding(self, stream: Tensor) -> None:
        """Ignore the embedding."""

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:
        """Ignore the heads."""

    def mlp(self, layer: int, output: Tensor) -> None:
        """Ignore the MLP."""

    def final(self, stream: Tensor, normed: Tensor) -> None:  # noqa: ARG002
        """Keep the final norm's output at the selected positions."""
        self.normed = self._select(normed)


def _too_large(checkpoint: Checkpoint) -> ModelError:
    return ModelError(
        f"{checkpoint.name} runs out of memory on {checkpoint.device} with a single text",
        "free the device, take a smaller format (setting:dtype=bfloat16), or more devices "
        "(setting:device-map=balanced)",
    )
