"""Forced texts: attribution of a given text, written by the checkpoint or not."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lengthprobe.attribution.completeness import check_completeness
from lengthprobe.attribution.direct import direct_logit_attribution
from lengthprobe.attribution.trace import Contributions, ForcedTrace
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.row_limits import RowLimit
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.errors import ModelError
from lengthprobe.generation.rows import in_batches, pad, text_too_large
from lengthprobe.task.adherence import adherence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.attribution.forced_text import Forced
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.ablation import Surgery
    from lengthprobe.settings import Settings


def attribute_forced(
    checkpoint: Checkpoint,
    texts: Sequence[Forced],
    settings: Settings,
    *,
    target: str,
    batch_size: int,
    surgery: Surgery | None = None,
) -> list[ForcedTrace]:
    """The direct logit attribution of each text, in order.

    Args:
        checkpoint: The checkpoint.
        texts: The texts.
        settings: The prompt form, the system prompt and the word counter count.
        target: `token` or `stop_margin` (`direct_logit_attribution`).
        batch_size: Most texts at once; halved on out of memory.
        surgery: The ablation of each text.

    Raises:
        ModelError: The architecture is not known, its components do not add up, a text does not fit the
            context, or memory is out for a single text.
    """
    rows = [_row(checkpoint, text, settings) for text in texts]
    donors = surgery.donors if surgery else ()
    longest = max((len(row.before) + len(row.asked) for row in [*rows, *_after(rows, donors)]), default=0)
    if checkpoint.context is not None and longest > checkpoint.context:
        raise ModelError(
            f"{checkpoint.name} reads at most {checkpoint.context} tokens, and a prompt with its answer has "
            f"{longest}",
            "a lower setting:cap, or a shorter system prompt",
        )
    order = sorted(
        range(len(rows)), key=lambda index: (len(rows[index].before), len(rows[index].asked), index)
    )

    def run(indices: Sequence[int]) -> list[Contributions]:
        return _attributed(
            checkpoint, [rows[index] for index in indices], target, surgery and surgery.of(indices)
        )

    def too_large(index: int) -> ModelError:
        return text_too_large(checkpoint, len(rows[index].before + rows[index].asked))

    kind = f"forced, {target}, {'with' if donors else 'without'} donors"
    limit = RowLimit(checkpoint.limits, kind, lambda index: len(rows[index].before + rows[index].asked))
    contributions = dict(zip(order, in_batches(order, batch_size, run, too_large, limit), strict=True))
    return [
        ForcedTrace(
            contributions[index],
            None
            if text.last_only
            else adherence(
                rows[index].written,
                checkpoint.decode,
                ended=text.ended,
                language=text.prompt.language,
                counter=settings.counter,
                opened=text.opened,
            ),
        )
        for index, text in enumerate(texts)
    ]


@dataclass(frozen=True, slots=True)
class _Row:
    """The prompt, the text between prompt and first step asked about, the steps' tokens, all the text."""

    prompt: tuple[int, ...]
    between: tuple[int, ...]
    asked: tuple[int, ...]
    written: tuple[int, ...]

    @property
    def before(self) -> tuple[int, ...]:
        """The tokens before the first step asked about."""
        return self.prompt + self.between


def _row(checkpoint: Checkpoint, text: Forced, settings: Settings) -> _Row:
    written = text.token_ids
    known = max(written, default=0) < checkpoint.model.get_input_embeddings().weight.shape[0]
    if text.text is not None and not (known and checkpoint.decode(written) == text.text):
        written = tuple(checkpoint.tokenizer.encode(text.text, add_special_tokens=False))
    prompt = render(checkpoint, text.prompt, settings)
    end = (checkpoint.end_token_ids[0],)
    if text.last_only:
        return _Row(prompt, written, end, written)
    return _Row(prompt, (), written + (end if text.ended else ()), written)


def _after(rows: Sequence[_Row], donors: Sequence[tuple[int, ...]]) -> list[_Row]:
    """The texts after their donors' prompts; empty without donors."""
    return [replace(row, prompt=donor) for row, donor in zip(rows, donors, strict=bool(donors))]


def _attributed(
    checkpoint: Checkpoint, rows: Sequence[_Row], target: str, surgery: Surgery | None
) -> list[Contributions]:
    donors = surgery.donors if surgery else ()
    every = [*rows, *_after(rows, donors)]
    padded = pad(checkpoint, [row.before for row in every], [row.asked for row in every])
    with surgery.applied(padded.donors_seen(len(rows))) if surgery else nullcontext():
        attribution = direct_logit_attribution(
            checkpoint.model,
            padded.input_ids,
            padded.attention_mask,
            padded.start,
            # Of several end tokens it may have written another than the first.
            target="written" if target == "token" and len(checkpoint.end_token_ids) > 1 else target,
            end_token_ids=checkpoint.end_token_ids,
        )
    check_completeness(checkpoint.name, anatomy_of(checkpoint.model), attribution)
    arrays = {name: getattr(attribution, name).float().cpu().numpy() for name in Contributions.names()}
    return [
        Contributions(**{name: values[index, : len(row.asked)].copy() for name, values in arrays.items()})
        for index, row in enumerate(rows)
    ]
