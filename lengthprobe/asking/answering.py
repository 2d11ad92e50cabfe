"""Answering: a batch of prompts, with the attribution of every token where wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lengthprobe.asking.answers import Answers, Proof
from lengthprobe.attribution.capture import Capture
from lengthprobe.checkpoints.memory import release
from lengthprobe.errors import ModelError, OutOfMemoryError
from lengthprobe.generation.transformers_engine import Answered, respond_to_batch
from lengthprobe.task.adherence import adherence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.attribution.readout import Readout
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.ablation import Surgery
    from lengthprobe.generation.constraint import Constraint
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt

# On so many prompts and tokens the components are proved before a run.
PROOF_PROMPTS = 4
_PROOF_TOKENS = 8


def answer(
    checkpoint: Checkpoint,
    prompts: Sequence[Prompt],
    settings: Settings,
    readout: Readout | None,
    surgery: Surgery | None = None,
    constraint: Constraint | None = None,
    beyond: int | None = None,
    *,
    thought: bool = True,
    sample: int | None = None,
) -> Answers:
    """The answers to one batch of prompts.

    Watching the components takes further memory. Where this memory is missing, the responses come without
    attributions, and `problem` says so.

    Args:
        checkpoint: The checkpoint.
        prompts: The batch.
        settings: The settings.
        readout: The checkpoint's readout where attributions are wanted, else None.
        surgery: The ablation of each prompt.
        constraint: The vocabulary of each response.
        beyond: Words above N after which a response is no longer followed (`respond_to_batch`); None where
            attributions are wanted.
        thought: Whether an allowed thought has room beside the cap.
        sample: The number of the sample, where responses are drawn; None where attributions are wanted.

    Raises:
        ModelError: The errors of `respond_to_batch`.
    """
    if readout is None:
        answered = respond_to_batch(
            checkpoint,
            prompts,
            settings,
            surgery=surgery,
            constraint=constraint,
            beyond=beyond,
            thought=thought,
            sample=sample,
        )
        return Answers(answered.responses, answered.pieces)
    captures: list[Capture] = []

    def observer() -> Capture:
        captures.append(Capture(checkpoint.name, readout, checkpoint.end_token_ids))
        return captures[-1]

    try:
        answered = respond_to_batch(
            checkpoint,
            prompts,
            settings,
            observer=observer,
            surgery=surgery,
            constraint=constraint,
            thought=thought,
        )
    except OutOfMemoryError as error:
        problem = ModelError(
            f"{error.problem}, while its components are watched",
            f"{error.fix}; claims about behaviour (behavior_tests) do not need it",
        )
    else:
        return _traced(checkpoint, settings, answered, captures)
    # Here, not above: while the exception lives, its frames hold on to the memory.
    captures.clear()
    release()
    found = answer(checkpoint, prompts, settings, None, surgery, constraint, beyond, thought=thought)
    return replace(found, problem=problem)


def _traced(
    checkpoint: Checkpoint, settings: Settings, answered: Answered, captures: Sequence[Capture]
) -> Answers:
    return Answers(
        answered.responses,
        answered.pieces,
        # A response that was cut off at its own limit has no more steps than tokens.
        tuple(
            trace.first(len(one.token_ids) + (one.finish_reason == "stop"))
            for trace, one in zip(answered.observed, answered.responses, strict=True)
        ),
        tuple(
            adherence(
                response.token_ids,
                checkpoint.decode,
                ended=response.finish_reason == "stop",
                language=response.prompt.language,
                counter=settings.counter,
                opened=response.opened,
            )
            for response in answered.responses
        ),
        gap=max(capture.gap for capture in captures),
        problem=next((capture.problem for capture in captures if capture.problem), None),
    )


def prove(
    checkpoint: Checkpoint, prompts: Sequence[Prompt], settings: Settings, readout: Callable[[], Readout]
) -> Proof:
    """The proof of a checkpoint's components: whether they add up on the first tokens of some responses.

    Args:
        checkpoint: The checkpoint.
        prompts: The prompts of these responses.
        settings: The settings.
        readout: Makes the checkpoint's readout.

    Raises:
        ModelError: The checkpoint cannot be run at all.
    """
    try:
        anatomy = readout().anatomy
    except ModelError as error:
        return Proof(problem=error)
    short = replace(settings, cap=min(settings.cap, _PROOF_TOKENS))
    # The first tokens of a thought will do as well.
    proof = answer(checkpoint, prompts, short, readout(), thought=False)
    return Proof(anatomy.architecture, anatomy.n_layers, anatomy.n_heads, proof.gap, proof.problem)
