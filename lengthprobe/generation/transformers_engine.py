"""Responses of a checkpoint, in batches determined by the prompts and the batch size."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteriaList

from lengthprobe.checkpoints.chat.template import opens_thought, render
from lengthprobe.checkpoints.chat.thinking import (
    Room,
    Thoughts,
    check_constrained,
    room_for_thought,
    thought_tokens,
)
from lengthprobe.checkpoints.row_limits import RowLimit
from lengthprobe.checkpoints.tokenizers.decoding import greedy
from lengthprobe.errors import ModelError, OutOfMemoryError
from lengthprobe.generation.batches import batches
from lengthprobe.generation.broken import Guard
from lengthprobe.generation.rows import pad, run_in_halves
from lengthprobe.generation.runaways import Limits, Runaways
from lengthprobe.generation.sampler import Sampler, row_key
from lengthprobe.generation.steps import steps
from lengthprobe.task.prompts import Prompt, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.ablation import Surgery
    from lengthprobe.generation.constraint import Constraint
    from lengthprobe.sampling import Sampling
    from lengthprobe.settings import Settings


@dataclass(frozen=True, slots=True)
class Answered:
    """The responses to a batch.

    Args:
        responses: A response for each prompt, in the order of the prompts.
        pieces: The number of smaller batches after splits for want of memory; 1 without a split.
        observed: The observer's result for each response; empty without an observer.
    """

    responses: tuple[Response, ...]
    pieces: int
    observed: tuple[Any, ...] = ()


class Observer(Protocol):
    """Watches the writing of a batch."""

    def watching(self, n: int) -> AbstractContextManager[None]:
        """Wrap the generation of n rows; later rows of a pass are not watched."""

    def step(self, written: Any, scores: Any) -> None:
        """Take, after each forward pass, the tokens before the pass, [n, t], and the scores, [n, V]."""

    def finish(self, rows: Sequence[Sequence[int]]) -> Sequence[Any]:
        """The result for each row, given all the tokens written."""


def respond(
    checkpoint: Checkpoint,
    prompts: Sequence[Prompt],
    settings: Settings,
    *,
    batch_size: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Response, ...]:
    """A greedy response to each prompt, in the order of the prompts.

    Args:
        checkpoint: The checkpoint.
        prompts: The prompts.
        settings: The prompt form, the system prompt and the token cap count.
        batch_size: Most prompts at once.
        progress: Called after each batch with the number of answered prompts, and the number of all.

    Raises:
        ModelError: The context is too short, the logits are not usable, or memory is out even for a single
            prompt.
    """
    answers: dict[str, Response] = {}
    for batch in batches(prompts, batch_size):
        answered = respond_to_batch(checkpoint, batch, settings)
        answers |= {response.prompt.id: response for response in answered.responses}
        if progress:
            progress(len(answers), len(prompts))
    return tuple(answers[prompt.id] for prompt in prompts)


def respond_to_batch(
    checkpoint: Checkpoint,
    prompts: Sequence[Prompt],
    settings: Settings,
    *,
    observer: Callable[[], Observer] | None = None,
    surgery: Surgery | None = None,
    constraint: Constraint | None = None,
    beyond: int | None = None,
    thought: bool = True,
    sample: int | None = None,
) -> Answered:
    """The responses to a batch; the batch is halved as often as memory demands.

    Args:
        checkpoint: The checkpoint.
        prompts: The batch.
        settings: The prompt form, the system prompt, the token cap and the word counter count; for a sample
            the sampling and the seed, too.
        observer: Makes an observer for each piece of the batch.
        surgery: The ablation of each row.
        constraint: The vocabulary of each response; an observer gets the scores before the constraint.
        beyond: Words above N after which a response is no longer followed; None: up to the cap.
        thought: Whether an allowed thought has room beside the cap.
        sample: The number of the sample, where responses are drawn (`Settings.sampling`); None: greedy.

    Raises:
        OutOfMemoryError: Memory is out even for a single prompt.
        ModelError: The context is too short, or the logits are not usable.
    """
    rows = [render(checkpoint, prompt, settings) for prompt in prompts]
    donors = surgery.donors if surgery else ()
    if constraint:
        check_constrained(checkpoint, settings)
    opened = bool(prompts) and opens_thought(checkpoint, prompts[0], settings)
    room = room_for_thought(checkpoint, settings) if thought else 0
    _check_context(checkpoint, max(map(len, [*rows, *donors])), settings, room)
    limits = None if beyond is None else Limits(checkpoint, tuple(prompts), beyond, settings.counter, opened)
    drawn = None if sample is None else _Drawn.of(prompts, settings, sample)
    whole_room = Room(settings.cap, room, opened)
    batch = _Batch(checkpoint, rows, whole_room, observer, surgery, constraint, limits, drawn)
    # Rows of about the same length: most tokens are those that may be written.
    manner = f"{'watched' if observer else 'alone'}, {'with' if donors else 'without'} donors"
    kind = f"written {manner}, up to {settings.cap + room} tokens"
    limit = RowLimit(checkpoint.limits, kind)
    pieces = run_in_halves(range(len(rows)), batch.generate, batch.too_large, limit)
    written = [tokens for piece, _ in pieces for tokens in piece]
    responses = tuple(
        _response(checkpoint, prompt, tokens, opened, sample)
        for prompt, tokens in zip(prompts, written, strict=True)
    )
    return Answered(responses, len(pieces), tuple(result for _, piece in pieces for result in piece))


def check_logits(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> None:
    """Check that a checkpoint makes a distribution over tokens at all, by one step after a prompt.

    Raises:
        ModelError: The logits are NaN or infinite, or the same for every token; or memory is out.
    """
    batch = _Batch(checkpoint, [render(checkpoint, prompt, settings)], Room(1))
    run_in_halves([0], batch.generate, batch.too_large, RowLimit(checkpoint.limits, "first step"))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Rows whose responses are drawn.

    Args:
        sampling: The distribution of each token.
        keys: The key of each row's noise.
    """

    sampling: Sampling
    keys: tuple[int, ...]

    @classmethod
    def of(cls, prompts: Sequence[Prompt], settings: Settings, sample: int) -> _Drawn:
        """The rows of some prompts in a sample."""
        keys = tuple(row_key(settings.seed, prompt.id, sample) for prompt in prompts)
        return cls(settings.needed_sampling, keys)

    def sampler(self, places: Sequence[int], width: int) -> LogitsProcessor:
        """The processor that draws some of the rows."""
        return Sampler(self.sampling, [self.keys[place] for place in places], width)


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch in the making, written whole or in halves.

    Args:
        checkpoint: The checkpoint.
        rows: The tokens of each prompt.
        room: How many tokens a response may have.
        observer: Makes an observer for each piece.
        surgery, constraint, limits: Ablation, vocabulary and limit of each row.
        drawn: The noise of each row; None for greedy responses.
    """

    checkpoint: Checkpoint
    rows: Sequence[Sequence[int]]
    room: Room
    observer: Callable[[], Observer] | None = None
    surgery: Surgery | None = None
    constraint: Constraint | None = None
    limits: Limits | None = None
    drawn: _Drawn | None = None

    def generate(self, places: Sequence[int]) -> list[tuple[list[list[int]], list[Any]]]:
        """A piece of the batch: all tokens written after some rows, and the observer's result for each row.

        Tokens after a row's end token are among them; `_response` cuts these off.
        """
        checkpoint, room = self.checkpoint, self.room
        rows = [self.rows[place] for place in places]
        surgery = self.surgery and self.surgery.of(places)
        constraint = self.constraint and self.constraint.of(places)
        limits = self.limits and self.limits.of(places)
        observer = self.observer() if self.observer else None
        n, donors = len(rows), surgery.donors if surgery else ()
        padded = pad(checkpoint, [*rows, *donors])
        width = padded.start
        guard = Guard()
        watchers = [_Told(observer, n, width)] if observer else []
        allowed = [constraint.processor(width)] if constraint else []
        same = [_SameText(n)] if donors else []
        samplers = [self.drawn.sampler(places, width)] if self.drawn else []
        stops: list[Runaways | Thoughts] = [Runaways(limits, width)] if limits else []
        stops += [Thoughts(checkpoint, n, width, room=room)] if room.thought else []
        told_steps = steps(n, width, room.whole, checkpoint.end_token_ids)
        with (
            torch.inference_mode(),
            # First, so that the observer sees what is in place and not what was.
            surgery.applied(padded.donors_seen(n)) if surgery else nullcontext(),
            observer.watching(n) if observer else nullcontext(),
        ):
            written = checkpoint.model.generate(
                padded.input_ids,
                attention_mask=padded.attention_mask,
                generation_config=greedy(checkpoint.end_token_ids, checkpoint.pad_token_id, room.whole),
                logits_processor=LogitsProcessorList([guard, *watchers, *samplers, *allowed, *same]),
                stopping_criteria=StoppingCriteriaList([*stops, *told_steps]),
            )
        every_token = [row[width:] for row in written[:n].tolist()]
        rows_written = every_token
        for stop in stops:
            rows_written = stop.cut(rows_written)
        # Not before the ablation ends, which is of these rows together: to judge, they are run one by one.
        guard.judge(
            checkpoint,
            [[*row, *tokens] for row, tokens in zip(rows, rows_written, strict=True)],
            ablated=surgery is not None,
        )
        with torch.inference_mode():
            return [(rows_written, list(observer.finish(every_token)) if observer else [])]

    def too_large(self, at: int) -> OutOfMemoryError:
        """The error where memory is out for a single row."""
        return OutOfMemoryError(
            f"{self.checkpoint.name} runs out of memory on {self.checkpoint.device} with a single prompt "
            f"of {len(self.rows[at])} tokens and a cap of {self.room.whole}",
            "free the device, lower setting:cap, take a smaller format "
            "(setting:dtype=bfloat16), or more devices (setting:device-map=balanced)",
        )


class _Told(LogitsProcessor):
    """Tells an observer of every step of the first n rows."""

    def __init__(self, observer: Observer, n: int, width: int) -> None:
        self._observer = observer
        self._n = n
        self._width = width

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self._observer.step(input_ids[: self._n, self._width :], scores[: self._n])
        return scores


class _SameText(LogitsProcessor):
    """Makes the donors after n rows write the tokens of these rows."""

    def __init__(self, n: int) -> None:
        self._n = n

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002  (the signature is transformers')
        return torch.cat([scores[: self._n], scores[: self._n]])


def _response(
    checkpoint: Checkpoint, prompt: Prompt, written: Sequence[int], opened: bool, sample: int | None
) -> Response:
    end = next((index for index, token in enumerate(written) if token in checkpoint.end_token_ids), None)
    tokens = tuple(written[:end])
    text = checkpoint.decode(tokens)
    thought = thought_tokens(checkpoint, tokens, opened=opened)
    return Response(prompt, tokens, text, "length" if end is None else "stop", opened, thought, sample)


def _check_context(checkpoint: Checkpoint, longest: int, settings: Settings, room: int) -> None:
    context = checkpoint.context
    if context is None or longest + settings.cap + room <= context:
        return
    if room:
        raise ModelError(
            f"{checkpoint.name} reads at most {context} tokens: a prompt of {longest}, a thought of up to "
            f"{room} and a cap of {settings.cap} make {longest + room + settings.cap}",
            "setting:thinking=off, a lower setting:cap, or a shorter system prompt",
        )
    left = context - longest
    raise ModelError(
        f"{checkpoint.name} reads at most {context} tokens: a prompt of {longest} and a cap of "
        f"{settings.cap} make {longest + settings.cap}",
        f"setting:cap={left} (or less)" if left > 0 else "a shorter system prompt, or a longer context",
    )
