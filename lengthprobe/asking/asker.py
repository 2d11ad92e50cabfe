"""Asker: puts questions about one checkpoint, whole or with something done to it, to an engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from lengthprobe.asking.questions import Attend, Force, Observe, Prove, Score
from lengthprobe.asking.subject import mixed_batches
from lengthprobe.components.names import check_some_left, find_components, only_heads
from lengthprobe.errors import SettingsError
from lengthprobe.task.prompts import split_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lengthprobe.activations.looks import Floats, Look
    from lengthprobe.activations.outputs import ComponentOutputs
    from lengthprobe.asking.answers import Proof, Traced
    from lengthprobe.asking.questions import Write
    from lengthprobe.asking.remembering import Block, Remembering
    from lengthprobe.asking.subject import Subject
    from lengthprobe.attribution.forced import Forced
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response

Text = TypeVar("Text")
# So many responses a language tell how large the outputs of components are, and what they are on average.
REFERENCE_PROMPTS = 50


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asker:
    """A view of one checkpoint, without a state of its own: what is asked, and what the engine remembers.

    Args:
        name: What expressions and reports call the checkpoint so viewed.
        settings: What is asked.
        ablation: What is ablated.
        words: The kind of words that alone may be written (`generation.vocabulary`); None for all.
        subject: The checkpoint.
        engine: Answers, and remembers.
    """

    name: str
    settings: Settings
    ablation: Ablation
    words: str | None
    subject: Subject
    engine: Remembering | Block

    @property
    def source(self) -> Source:
        """Where the checkpoint comes from."""
        return self.subject.source

    @property
    def files(self) -> Files:
        """The checkpoint on disk; raises ModelError where there is none that can be run."""
        return self.subject.held.files

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint in memory; raises ModelError where it cannot be loaded."""
        return self.subject.held.checkpoint

    @property
    def batch_size(self) -> int:
        """Most prompts at once; raises ModelError where the checkpoint or its device is not to be had."""
        return self.subject.held.batch_size

    @property
    def asked(self) -> tuple[str, ...]:
        """The languages whose prompts have been answered."""
        return self.subject.languages(ablation=self.ablation, words=self.words)

    @property
    def proof(self) -> Proof:
        """How many components the model has, and whether they add up to its logits, in all that was asked.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run.
        """
        (proof,) = self.engine.answer([Prove()])
        return proof if proof.gap >= self.engine.gap else replace(proof, gap=self.engine.gap)

    def prepare(self, languages: Sequence[str] | None = None, *, traces: bool = False) -> None:
        """Ask the prompts of several languages in one go (all of the settings' by default).

        Args:
            languages: Their codes.
            traces: Whether attributions are wanted too: they are captured while the responses are written.
                Where that is not possible, `traces` says why, and the responses are there all the same.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or a language is unknown.
        """
        wanted = tuple(dict.fromkeys(self.settings.languages if languages is None else languages))
        traces = traces and self.proof.problem is None
        asked = {language: self._batches(language, traces=traces) for language in wanted}
        again = [
            (self.name, language)
            for language in wanted
            if traces
            and not all(one in self.engine for one in asked[language])
            and all(one in self.engine for one in self._batches(language))
        ]
        self.engine.answer([one for some in asked.values() for one in some])
        self.subject.asked_again += again

    def responses(self, language: str) -> tuple[Response, ...]:
        """The response to each prompt of a language, in the order of the prompt stream.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or the language is unknown.
        """
        return self.subject.in_order(language, self.engine.answer(self._batches(language)))

    def traces(self, language: str) -> tuple[Traced, ...]:
        """The attribution and adherence of each response, in the order of `responses`.

        Captured while the responses were written, where `prepare` was told to; else they are written again.

        Raises:
            LengthprobeError: As `responses`; or the components of this checkpoint are not known, or do not
                add up.
        """
        if self.proof.problem is not None:
            raise self.proof.problem
        batches = self._batches(language, traces=True)
        if not all(one in self.engine for one in batches):
            self.prepare([language], traces=True)
        answers = self.engine.answer(batches)
        if problem := next((one.problem for one in answers if one.problem is not None), None):
            raise problem
        found = {one.response.prompt.id: one for some in answers for one in some.each()}
        return tuple(found[prompt.id] for prompt in self.subject.prompts(language))

    def forced(self, texts: Sequence[Forced], *, target: str) -> tuple[ForcedTrace, ...]:
        """What this checkpoint's components say to texts that it is given, one forward pass a batch.

        Args:
            texts: The texts.
            target: `token` or `stop_margin`.

        Raises:
            LengthprobeError: As `traces`.
        """
        if self.proof.problem is not None:
            raise self.proof.problem
        answers = self.engine.answer(self._forces(texts, target))
        return tuple(one for some in answers for one in some)

    def has_forced(self, target: str, texts: Sequence[Forced] | None = None) -> bool:
        """Whether `forced` was asked about these texts, or about any, so that the answer costs nothing."""
        if texts is None:
            return any(isinstance(one, Force) and one.target == target for one in self.engine)
        return all(one in self.engine for one in self._forces(texts, target))

    def under(
        self, asked: Sequence[tuple[Prompt, Ablation]], *, beyond: int | None = None
    ) -> tuple[Response, ...]:
        """The response to each prompt under an ablation of its own: many ablations share a batch.

        Args:
            asked: The prompts, with what is ablated for each beside what this probe ablates.
            beyond: So many words above N a response is followed, and then cut off; None: up to the cap.

        Raises:
            SettingsError: A component does not exist, or none would be left.
            LengthprobeError: The checkpoint cannot be loaded or run, or its components are not known.
        """
        wanted = [(prompt, self.ablation.with_all(one)) for prompt, one in asked]
        for ablation in {one for _, one in wanted}:
            self.check_ablation(ablation)
        batches = mixed_batches(wanted, self.batch_size, words=self.words, beyond=beyond)
        answers = self.engine.answer(batches)
        given = {
            row: response
            for batch, answer in zip(batches, answers, strict=True)
            for row, response in zip(batch.rows, answer.responses, strict=True)
        }
        return tuple(given[prompt.id, ablation] for prompt, ablation in wanted)

    def heads(self, names: str | Component | Iterable[str | Component]) -> tuple[Component, ...]:
        """The heads that some names mean: a head (`L3H1`), or a layer's heads (`L3H*`).

        Raises:
            SettingsError: A head does not exist, none is named, or another component is.
            ModelError: The checkpoint's components are not known.
        """
        return only_heads(self.components(names))

    def attention(
        self, looks: Sequence[Look], heads: str | Component | Iterable[str | Component]
    ) -> tuple[Floats, ...]:
        """The share of some heads' attention that words of a prompt have, from places of a text after it.

        Args:
            looks: The texts, with the places and the words.
            heads: As in `heads`, h of them.

        Returns:
            For each look, over its b steps and k targets, [b, h, k].

        Raises:
            SettingsError: As `heads`; or this probe is ablated.
            LengthprobeError: As `traces`; or which tokens stand for a word is not known.
        """
        if self.ablation.components:
            raise SettingsError(
                f"{self.name}: attention is asked of the whole model only",
                "ask the probe outside of its `with probe.ablated(...)`",
            )
        chosen = self.heads(heads)
        answers = self.engine.answer([Attend(tuple(some), chosen) for some in self._in_batches(looks)])
        return tuple(one for some in answers for one in some)

    def losses(self, texts: Sequence[str], ablation: Ablation) -> tuple[float, ...]:
        """The mean negative log-likelihood, in nats a token, of ordinary texts under an ablation.

        Raises:
            SettingsError: A component does not exist, or none would be left.
            LengthprobeError: The checkpoint cannot be loaded, or the ablation not be had.
        """
        every = self.ablation.with_all(ablation)
        self.check_ablation(every)
        (answer,) = self.engine.answer([Score(tuple(texts), every)])
        return tuple(answer)

    def outputs(self, languages: Iterable[str] | None = None) -> ComponentOutputs:
        """How large the whole model's components' outputs are, and what they are on average.

        Taken where it writes the responses to the first prompts of each language on discovery topics.

        Args:
            languages: Codes of languages; by default all of the settings', over which mean ablation goes.

        Raises:
            SettingsError: None of the prompts is on a discovery topic.
            LengthprobeError: As `traces`.
        """
        if self.proof.problem is not None:
            raise self.proof.problem
        wanted = self.settings.languages if languages is None else tuple(languages)
        chosen = [
            one
            for language in wanted
            for one in [
                one
                for one in self.subject.responses(language)
                if split_of(one.prompt) == "discovery" and not one.is_unfinished_thought
            ][:REFERENCE_PROMPTS]
        ]
        if not chosen:
            raise SettingsError(
                f"the components' mean outputs are taken over discovery topics, and of "
                f"{self.settings.budget} prompts in {', '.join(wanted)} none is on one",
                "setting:budget=300, or another mode of ablation: zero, resample",
            )
        (answer,) = self.subject.memory.answer([Observe(tuple(chosen))])
        return answer

    def components(self, wanted: str | Component | Iterable[str | Component]) -> tuple[Component, ...]:
        """The components that some names mean: `L3H1`, `L3H*`, `MLP3`, `L3`.

        Raises:
            SettingsError: A component does not exist, or none is named.
            ModelError: The checkpoint's components are not known.
        """
        proof = self.proof
        if proof.problem is not None:
            raise proof.problem
        return find_components(
            wanted, n_layers=proof.n_layers, n_heads=proof.n_heads, model=self.subject.name
        )

    def check_ablation(self, ablation: Ablation) -> None:
        """Refuse what cannot be ablated; without an ablation no component need be known."""
        if ablation.components:
            self.components(ablation.components)
            proof = self.proof
            check_some_left(ablation, n_layers=proof.n_layers, n_heads=proof.n_heads, model=self.subject.name)

    def _batches(self, language: str, *, traces: bool = False) -> tuple[Write, ...]:
        return self.subject.batches(language, ablation=self.ablation, words=self.words, traces=traces)

    def _forces(self, texts: Sequence[Forced], target: str) -> list[Force]:
        return [Force(tuple(some), self.ablation, target) for some in self._in_batches(texts)]

    def _in_batches(self, texts: Sequence[Text]) -> Iterator[Sequence[Text]]:
        size = self.batch_size
        return (texts[first : first + size] for first in range(0, len(texts), size))
