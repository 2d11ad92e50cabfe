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
from lengthprobe.checkpoints.row_limits import RowLimit
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

    def run(batch: Sequence[tuple[Response, Ablation]]) -> list[list[float]]:
        return _margins(checkpoint, readout, batch, settings, means)

    limit = RowLimit(checkpoint.limits, "stop margins", lambda one: len(one[0].token_ids))
    return run_in_halves(asked, run, lambda _one: _too_large(checkpoint), limit)


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

    def run(batch: Sequence[tuple[Response, Sequence[float]]]) -> list[FirstOrder]:
        texts = [response.token_ids for response, _ in batch]
        prompts = [render(checkpoint, response.prompt, settings) for response, _ in batch]
        replacement: MeanOutputs | Donors | None = means() if mode == "mean" else None
        rows = pad(checkpoint, prompts, texts)
        if mode == "resample":
            donors = [donor_tokens(checkpoint, response.prompt, settings) for response, _ in batch]
            both = pad(checkpoint, [*prompts, *donors], [*texts, *texts])
            rows, theirs = both.of(slice(len(batch))), both.of(slice(len(batch), None))
            replacement = Donors(theirs.input_ids, theirs.attention_mask)
        placed = torch.zeros(rows.input_ids.shape, device=rows.input_ids.device)
        for row, (_, weight) in enumerate(batch):
            # The margin at a step is read off the column before the step.
            placed[row, rows.start - 1 : rows.start - 1 + len(weight)] = torch.tensor(weight)
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

    weighted = list(zip(responses, weights, strict=True))
    limit = RowLimit(checkpoint.limits, f"gradients, {mode}", lambda one: len(one[0].token_ids))
    effects = in_batches(weighted, batch_size, run, lambda _one: _too_large(checkpoint), limit)
    return FirstOrder(
        *(
            torch.cat([getattr(batch_effects, name).cpu() for batch_effects in effects])
            for name in ("heads", "mlps", "metric")
        )
    )


@torch.inference_mode()
def _margins(
    checkpoint: Checkpoint,
    readout: Readout,
    batch: Sequence[tuple[Response, Ablation]],
    settings: Settings,
    means: Callable[[], MeanOutputs],
) -> list[list[float]]:
    anatomy = readout.anatomy
    texts = [response.token_ids for response, _ in batch]
    ablations = tuple(ablation for _, ablation in batch)
    prompts = [render(checkpoint, response.prompt, settings) for response, _ in batch]
    surgery = surgery_on(
        checkpoint, anatomy, [response.prompt for response, _ in batch], ablations, settings, means=means
    )
    donors = surgery.donors
    rows = pad(checkpoint, [*prompts, *donors], texts * 2 if donors else texts)
    places = [
        row * rows.input_ids.shape[1] + rows.start - 1 + step
        for row, text in enumerate(texts)
        for step in range(len(text) + 1)
    ]
    chosen = torch.tensor(places)
    final = _Final(lambda outputs: outputs.flatten(0, 1).index_select(0, chosen.to(outputs.device)))
    with surgery.applied(rows.donors_seen(len(batch))), watch_components(anatomy, final):
        run_decoder(checkpoint.model, rows.input_ids, rows.attention_mask)
    ends = torch.tensor(list(checkpoint.end_token_ids), device=anatomy.unembedding.weight.device)
    margins = stop_margins(readout, final.normed, ends)
    by_response = torch.split(margins.cpu(), [len(text) + 1 for text in texts])
    return [steps.tolist() for steps in by_response]


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
