"""Respondent: a checkpoint that is loaded once, and answers whole or ablated, for every probe of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.answers import (
    Answers,
    Proof,
    pack_forced,
    pack_shares,
    unpack_forced,
    unpack_shares,
)
from lengthprobe.asking.keys import (
    ablated_question,
    forced_question,
    looks_question,
    prompts_question,
    question_key,
)
from lengthprobe.asking.progress import Progress, asking
from lengthprobe.errors import SettingsError
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lengthprobe.activations.looks import Floats, Look
    from lengthprobe.activations.outputs import Outputs
    from lengthprobe.asking.exchange import Exchange
    from lengthprobe.asking.progress import Tell
    from lengthprobe.attribution.forced import Forced
    from lengthprobe.attribution.readout import Readout
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.checkpoints.held import Held
    from lengthprobe.components.ablation import MeanOutputs, Surgery
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.generation.constraint import Constraint
    from lengthprobe.generation.vocabulary import Vocabulary
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response


class Respondent:
    """A held checkpoint under its settings. What another process has made is taken from there.

    Args:
        source: Where it comes from.
        held: The checkpoint.
        settings: How it is asked.
        exchange: How processes share the work.
        progress: Told what is asked, and how much of it is done.
        means: Gives the mean outputs of its parts; called when an ablation by the mean wants them.
        written: Gives its own responses in a language; called when words of one kind alone are wanted.
    """

    def __init__(
        self,
        source: Source,
        held: Held,
        settings: Settings,
        *,
        exchange: Exchange,
        progress: Tell,
        means: Callable[[], MeanOutputs],
        written: Callable[[str], Sequence[Response]],
    ) -> None:
        self._source = source
        self._held = held
        self._settings = settings
        self._exchange = exchange
        self._progress = progress
        self._means = means
        self._written = written
        self._vocabularies: dict[tuple[str, str], Vocabulary] = {}
        self._readout: Readout | None = None
        self._runs = False

    def answers(
        self,
        batches: Sequence[Sequence[tuple[Prompt, Ablation]]],
        *,
        traces: bool,
        words: str | None = None,
        beyond: int | None = None,
    ) -> list[Answers]:
        """The answers to some batches of prompts, each prompt under an ablation of its own.

        Args:
            batches: The prompts of each batch, with what is ablated.
            traces: Whether attributions are wanted.
            words: The kind of words that alone may be written, as in `generation.vocabulary`; None for all.
            beyond: Words above N after which nothing more of a response is wanted (`generation.runaways`).

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or ablation or words cannot be had.
        """
        total, done = sum(map(len, batches)), 0
        if not total:
            return []
        asked = {}
        for batch in batches:
            some, ablations = [prompt for prompt, _ in batch], [ablation for _, ablation in batch]
            question = prompts_question(
                some, ablations, self._settings, traces=traces, words=words, beyond=beyond
            )
            asked[self._key(question)] = (some, ablations)
        every = [one for batch in batches for one in batch]
        what = asking([one for one, _ in every], [one for _, one in every], words, traces=traces)
        self._progress(Progress(what, 0, total))

        def make(key: str) -> bytes:
            nonlocal done
            some, ablations = asked[key]

            def answer() -> Answers:
                return self._answer(some, ablations, traces=traces, words=words, beyond=beyond)

            def told(ended: int, written: int, cap: int) -> None:
                self._progress(Progress(what, done + ended, total, "answers", written, cap, len(some), ended))

            # What is impossible only so says nothing of the checkpoint: no failure to remember.
            free = words is None and not any(one.components for one in ablations)
            self._progress(Progress(what, done, total))
            from lengthprobe.generation.steps import telling

            with telling(told):
                content = self._held.once(answer) if free else answer()
            done += len(some)
            self._progress(Progress(what, done, total))
            return content.to_bytes()

        made = self._exchange.gather(list(asked), make)
        self._progress(Progress(what, total, total))
        return [Answers.from_bytes(made[key], some) for key, (some, _) in asked.items()]

    def forced(self, texts: Sequence[Forced], ablation: Ablation, *, target: str) -> list[ForcedTrace]:
        """What the parts say to some texts, in their order; as `attribution.forced.attribute_forced`."""
        size = self._held.batch_size
        chunks = [
            (self._key(forced_question(some, ablation, self._settings, target)), some)
            for some in (texts[start : start + size] for start in range(0, len(texts), size))
        ]
        asked, told = dict(chunks), self._counting("attribution of written texts", len(texts), size)

        def make(key: str) -> bytes:
            from lengthprobe.attribution.forced import attribute_forced

            told()

            # A text that cannot be forced says nothing of the checkpoint: no failure to remember.
            return pack_forced(
                attribute_forced(
                    self._held.checkpoint,
                    asked[key],
                    self._settings,
                    target=target,
                    batch_size=size,
                    surgery=self._surgery([one.prompt for one in asked[key]], [ablation] * len(asked[key])),
                )
            )

        made = self._exchange.gather(list(asked), make)
        told(ended=True)
        return [one for key, _ in chunks for one in unpack_forced(made[key])]

    def attention(self, looks: Sequence[Look], heads: Sequence[Component]) -> list[Floats]:
        """The shares of attention that some looks ask for, in order; as `activations.looks.look`."""
        size = self._held.batch_size
        chunks = [
            (self._key(looks_question(some, heads)), some)
            for some in (looks[start : start + size] for start in range(0, len(looks), size))
        ]
        asked, told = dict(chunks), self._counting("attention of heads", len(looks), size)

        def make(key: str) -> bytes:
            from lengthprobe.activations.looks import look

            told()

            # As of a text that cannot be forced: no failure to remember.
            found = look(self._held.checkpoint, asked[key], self._settings, heads, batch_size=size)
            return pack_shares(found)

        made = self._exchange.gather(list(asked), make)
        told(ended=True)
        return [one for key, _ in chunks for one in unpack_shares(made[key])]

    def _counting(self, what: str, total: int, size: int) -> Callable[..., None]:
        """What is called before each batch of texts that a pass goes over, and tells of those before it.

        It is called with `ended` after the last, and tells of all, those of other processes among them.
        """
        done = 0

        def told(*, ended: bool = False) -> None:
            nonlocal done
            if total:
                self._progress(Progress(what, total if ended else done, total, "texts"))
            done += size

        return told

    def proof(self) -> Proof:
        """What is known of the parts, and whether they add up, on a few prompts of the first language.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run.
        """
        from lengthprobe.asking.answering import PROOF_PROMPTS, prove

        settings = self._settings
        few = min(PROOF_PROMPTS, settings.budget)
        first = prompts(settings.languages[0], lengths=settings.lengths, budget=few, seed=settings.seed)

        def make() -> Proof:
            return prove(self._held.checkpoint, first, settings, self._parts_readout)

        return Proof.from_bytes(self._shared({"parts": True}, lambda: self._held.once(make).to_bytes()))

    def outputs(self, responses: Sequence[Response]) -> Outputs:
        """The mean size and output of each part where some responses are written."""
        from lengthprobe.activations.outputs import Outputs, outputs_of

        def make() -> bytes:
            return outputs_of(
                self._held.checkpoint,
                self._parts_readout().anatomy,
                responses,
                self._settings,
                batch_size=self._held.batch_size,
            ).to_bytes()

        asked = {"outputs": [[one.prompt.id, one.prompt.text] for one in responses]}
        return Outputs.from_bytes(self._shared(asked, make))

    def losses(self, texts: Sequence[str], ablation: Ablation) -> list[float]:
        """The mean negative log-likelihood of each text's tokens; as `generation.likelihood.text_losses`.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded, or outputs are resampled: a text has no donor.
        """
        if ablation.resample:
            raise SettingsError(
                "resampling takes outputs from a prompt with another N, and an ordinary text asks for none",
                "mode zero or mean",
            )

        def make() -> bytes:
            from lengthprobe.generation.likelihood import text_losses

            size = self._held.batch_size
            surgery = self._surgery([], [ablation])
            found = text_losses(self._held.checkpoint, texts, batch_size=size, surgery=surgery)
            return json.dumps(found).encode()

        asked = {"losses": list(texts), "ablation": ablated_question(ablation, self._settings)}
        found: list[float] = json.loads(self._shared(asked, make))
        return found

    def _answer(
        self,
        batch: Sequence[Prompt],
        ablations: Sequence[Ablation],
        *,
        traces: bool,
        words: str | None,
        beyond: int | None,
    ) -> Answers:
        from lengthprobe.asking.answering import answer
        from lengthprobe.generation.transformers_engine import check_logits

        checkpoint = self._held.checkpoint
        if not self._runs:
            check_logits(checkpoint, batch[0], self._settings)
            self._runs = True
        surgery, constraint = self._surgery(batch, ablations), self._constraint(batch, words)
        readout = self._parts_readout() if traces else None
        return answer(checkpoint, batch, self._settings, readout, surgery, constraint, beyond)

    def _constraint(self, batch: Sequence[Prompt], words: str | None) -> Constraint | None:
        """What a batch may be written with, None where that is anything."""
        if words is None:
            return None
        from lengthprobe.generation.constraint import Constraint
        from lengthprobe.generation.vocabulary import vocabulary_of, written_words

        checkpoint = self._held.checkpoint
        for language in {prompt.language for prompt in batch}:
            if (language, words) not in self._vocabularies:
                written = written_words(self._written(language), checkpoint.decode)
                self._vocabularies[language, words] = vocabulary_of(
                    written, words, model=checkpoint.name, language=language
                )
        rows = tuple(self._vocabularies[prompt.language, words] for prompt in batch)
        return Constraint(rows, checkpoint.end_token_ids)

    def _surgery(self, batch: Sequence[Prompt], ablations: Sequence[Ablation]) -> Surgery | None:
        """What is done to the model for a batch, None where nothing is."""
        if not any(one.components for one in ablations):
            return None
        from lengthprobe.components.donors import surgery_on

        checkpoint, anatomy = self._held.checkpoint, self._parts_readout().anatomy
        return surgery_on(checkpoint, anatomy, batch, ablations, self._settings, means=self._means)

    def _parts_readout(self) -> Readout:
        """The readout of the loaded model.

        Raises:
            ModelError: Its family is not known.
        """
        if self._readout is None:
            from lengthprobe.attribution.readout import readout_of
            from lengthprobe.components.anatomy import anatomy_of

            self._readout = readout_of(anatomy_of(self._held.checkpoint.model))
        return self._readout

    def _shared(self, asked: Mapping[str, Any], make: Callable[[], bytes]) -> bytes:
        """What one of the processes makes for all."""
        key = self._key(asked)
        return self._exchange.gather([key], lambda _key: make())[key]

    def _key(self, asked: Mapping[str, Any]) -> str:
        held = self._held
        return question_key(self._source, self._settings, held.batch_size, asked, held.files.stamp)
