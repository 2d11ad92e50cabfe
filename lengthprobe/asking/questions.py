"""Questions: what one checkpoint is asked beside its prompts, whatever is ablated, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.activations.looks import Floats, Look
    from lengthprobe.activations.outputs import Outputs
    from lengthprobe.asking.answers import Answers, Proof
    from lengthprobe.asking.respondent import Respondent
    from lengthprobe.attribution.forced import Forced
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.task.prompts import Prompt, Response

    Asked = tuple[Prompt, Ablation]
    # The prompts' ids with their ablations, the words to write with, and how far a response is followed.
    _Batch = tuple[tuple[tuple[str, Ablation], ...], str | None, int | None]


class Questions:
    """Asks a respondent, and remembers what it said.

    A probe and those within its blocks share one, so that what was asked under an ablation is not asked again
    where the same block is entered a second time. Attributions are not remembered here: those of one block
    are many megabytes, and a user may enter a thousand.

    Args:
        respondent: Answers for the checkpoint.
    """

    def __init__(self, respondent: Respondent) -> None:
        self._respondent = respondent
        self._proof: Proof | None = None
        self._under: dict[_Batch, tuple[Response, ...]] = {}
        self._looked: dict[tuple[tuple[Component, ...], tuple[Look, ...]], tuple[Floats, ...]] = {}
        self._losses: dict[tuple[Ablation, tuple[str, ...]], tuple[float, ...]] = {}
        self._outputs: dict[tuple[Response, ...], Outputs] = {}
        # How many batches were split for want of memory.
        self.split_batches = 0

    def proof(self) -> Proof:
        """What is known of the checkpoint's parts; as `Respondent.proof`."""
        if self._proof is None:
            self._proof = self._respondent.proof()
        return self._proof

    def forced(self, texts: Sequence[Forced], ablation: Ablation, *, target: str) -> list[ForcedTrace]:
        """What the parts say to some texts under an ablation, asked anew; as `Respondent.forced`."""
        return self._respondent.forced(texts, ablation, target=target)

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
        self,
        wanted: Sequence[Asked],
        *,
        batch_size: int,
        check: Callable[[], None],
        words: str | None = None,
        beyond: int | None = None,
    ) -> tuple[Response, ...]:
        """The response to each prompt under its ablation; as `Probe.under`.

        A number format may round otherwise in another batch, so that batches are a function of what is wanted
        and are remembered whole: no answer hangs on what was asked before.

        Args:
            wanted: The prompts, with what is ablated for each.
            batch_size: Most prompts at once.
            check: Called before anything new is asked.
            words, beyond: As in `Respondent.answers`.
        """
        # A batch runs as long as its longest response: those under one ablation are alike.
        every = sorted(
            dict.fromkeys(wanted),
            key=lambda one: (str(one[1]), one[0].language, one[0].n_words, one[0].id),
        )
        chunks = [every[first : first + batch_size] for first in range(0, len(every), batch_size)]
        keys = [(tuple((prompt.id, one) for prompt, one in chunk), words, beyond) for chunk in chunks]
        new = [(key, chunk) for key, chunk in zip(keys, chunks, strict=True) if key not in self._under]
        if new:
            check()
        found = self.answers([chunk for _, chunk in new], traces=False, words=words, beyond=beyond)
        for (key, _), answers in zip(new, found, strict=True):
            self._under[key] = answers.responses
        given = {asked: one for key in keys for asked, one in zip(key[0], self._under[key], strict=True)}
        return tuple(given[prompt.id, ablation] for prompt, ablation in wanted)

    def attention(
        self, looks: Sequence[Look], heads: tuple[Component, ...], *, check: Callable[[], None]
    ) -> tuple[Floats, ...]:
        """The shares of attention that some looks ask for, of the whole model; as `Probe.attention`."""
        key = (heads, tuple(looks))
        if key not in self._looked:
            check()
            self._looked[key] = tuple(self._respondent.attention(looks, heads))
        return self._looked[key]

    def losses(
        self, texts: Sequence[str], ablation: Ablation, *, check: Callable[[], None]
    ) -> tuple[float, ...]:
        """The loss of each text under an ablation, in nats a token; as `Probe.losses`."""
        key = (ablation, tuple(texts))
        if key not in self._losses:
            check()
            self._losses[key] = tuple(self._respondent.losses(texts, ablation))
        return self._losses[key]

    def outputs(self, responses: Sequence[Response]) -> Outputs:
        """How large the whole model's parts' outputs are where some responses are written."""
        key = tuple(responses)
        if key not in self._outputs:
            self._outputs[key] = self._respondent.outputs(responses)
        return self._outputs[key]
