"""Questions: what one checkpoint is asked beside its prompts, whatever is ablated, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.attribution.forced import Forced
    from lengthprobe.attribution.looks import Floats, Look
    from lengthprobe.attribution.outputs import Outputs
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.models.components import Ablation, Component
    from lengthprobe.runs.answers import Answers, Proof
    from lengthprobe.runs.respondent import Respondent
    from lengthprobe.task.prompts import Prompt, Response

    Asked = tuple[Prompt, Ablation]
    # Prompt id, ablation, words to write with, and how far a response is followed.
    _Key = tuple[str, Ablation, str | None, int | None]


class Questions:
    """Asks a respondent, and remembers what it said.

    A probe and those within its blocks share one, so that what was asked under an ablation is not asked again
    where the same block is entered a second time.

    Args:
        respondent: Answers for the checkpoint.
    """

    def __init__(self, respondent: Respondent) -> None:
        self._respondent = respondent
        self._under: dict[_Key, Response] = {}
        self._forced: dict[tuple[Ablation, str, tuple[Forced, ...]], tuple[ForcedTrace, ...]] = {}
        self._looked: dict[tuple[tuple[Component, ...], tuple[Look, ...]], tuple[Floats, ...]] = {}
        self._losses: dict[tuple[Ablation, tuple[str, ...]], tuple[float, ...]] = {}
        self._outputs: dict[tuple[Response, ...], Outputs] = {}
        # How many batches were split for want of memory.
        self.split_batches = 0

    def proof(self) -> Proof:
        """What is known of the checkpoint's parts; as `Respondent.proof`."""
        return self._respondent.proof()

    def answers(
        self,
        batches: Sequence[Sequence[Asked]],
        *,
        traces: bool,
        words: str | None = None,
        beyond: int | None = None,
    ) -> list[Answers]:
        """The answers to some batches, one after the other; these are not remembered.

        Args:
            batches, traces, words, beyond: As in `Respondent.answers`.
        """
        found = self._respondent.answers(batches, traces=traces, words=words, beyond=beyond)
        self.split_batches += sum(one.pieces > 1 for one in found)
        return found

    def under(
        self, wanted: Sequence[Asked], *, batch_size: int, words: str | None = None, beyond: int | None = None
    ) -> tuple[Response, ...]:
        """The response to each prompt under its ablation; as `Probe.under`."""
        # A batch runs as long as its longest response: those under one ablation are alike.
        every = sorted(
            dict.fromkeys(wanted),
            key=lambda one: (str(one[1]), one[0].language, one[0].n_words, one[0].id),
        )
        # What was asked before does not change the batches, in which a number format may round otherwise.
        chunks = [
            chunk
            for chunk in (every[first : first + batch_size] for first in range(0, len(every), batch_size))
            if any((prompt.id, one, words, beyond) not in self._under for prompt, one in chunk)
        ]
        for chunk, answers in zip(
            chunks, self.answers(chunks, traces=False, words=words, beyond=beyond), strict=True
        ):
            for (prompt, ablation), one in zip(chunk, answers.each(), strict=True):
                self._under[prompt.id, ablation, words, beyond] = one.response
        return tuple(self._under[prompt.id, ablation, words, beyond] for prompt, ablation in wanted)

    def forced(self, texts: Sequence[Forced], ablation: Ablation, *, target: str) -> tuple[ForcedTrace, ...]:
        """What the parts say to some texts under an ablation; as `Probe.forced`."""
        key = (ablation, target, tuple(texts))
        if key not in self._forced:
            self._forced[key] = tuple(self._respondent.forced(texts, ablation, target=target))
        return self._forced[key]

    def forced_before(self, ablation: Ablation, *, target: str) -> list[tuple[Forced, ...]]:
        """The texts that `forced` has been asked about under an ablation, as they were asked together."""
        return [texts for under, asked, texts in self._forced if (under, asked) == (ablation, target)]

    def attention(self, looks: Sequence[Look], heads: tuple[Component, ...]) -> tuple[Floats, ...]:
        """The shares of attention that some looks ask for, of the whole model; as `Probe.attention`."""
        key = (heads, tuple(looks))
        if key not in self._looked:
            self._looked[key] = tuple(self._respondent.attention(looks, heads))
        return self._looked[key]

    def losses(self, texts: Sequence[str], ablation: Ablation) -> tuple[float, ...]:
        """The loss of each text under an ablation, in nats a token; as `Probe.losses`."""
        key = (ablation, tuple(texts))
        if key not in self._losses:
            self._losses[key] = tuple(self._respondent.losses(texts, ablation))
        return self._losses[key]

    def outputs(self, responses: Sequence[Response]) -> Outputs:
        """How large the whole model's parts' outputs are where some responses are written."""
        key = tuple(responses)
        if key not in self._outputs:
            self._outputs[key] = self._respondent.outputs(responses)
        return self._outputs[key]
