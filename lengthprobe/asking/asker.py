"""Asker: puts questions about a checkpoint, whole or ablated, to an engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from lengthprobe.asking.questions import Attend, Force, Observe, Prove, Score, Spell
from lengthprobe.asking.subject import mixed_batches
from lengthprobe.components.names import check_some_left, find_components, only_heads
from lengthprobe.errors import SettingsError
from lengthprobe.task.prompts import split_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lengthprobe.activations.component_outputs import ComponentOutputs
    from lengthprobe.activations.look import Floats, Look
    from lengthprobe.asking.answers import Proof, Traced
    from lengthprobe.asking.questions import Write
    from lengthprobe.asking.remembering import Block, Remembering
    from lengthprobe.asking.subject import Subject
    from lengthprobe.attribution.forced_text import Forced
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response

T = TypeVar("T")
# So many responses a language tell how large the outputs of components are, and what they are on average.
REFERENCE_PROMPTS = 50


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asker:
    """A view of a checkpoint under an ablation and a kind of words; all state is the engine's.

    Args:
        name: The name of this view in expressions and reports.
        settings: The settings.
        ablation: The ablated components.
        words: The only kind of words allowed in responses (`generation.vocabulary`); None for all words.
        subject: The checkpoint.
        engine: Gives answers, and remembers them.
    """

    name: str
    settings: Settings
    ablation: Ablation
    words: str | None
    subject: Subject
    engine: Remembering | Block

    @property
    def source(self) -> Source:
        """The source of the checkpoint."""
        return self.subject.source

    @property
    def files(self) -> Files:
        """The checkpoint on disk; raises ModelError where there is no checkpoint that can be run."""
        return self.subject.held.files

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint in memory; raises ModelError where loading fails."""
        return self.subject.held.checkpoint

    @property
    def has_later_look(self) -> bool:
        """Whether more prompts follow, where the answers to these do not tell."""
        return self.settings.budget < self.subject.settings.budget

    @property
    def batch_size(self) -> int:
        """Most prompts at once; raises ModelError where the checkpoint or its device is not to be had."""
        return self.subject.batch_size

    @property
    def asked(self) -> tuple[str, ...]:
        """The languages whose prompts have been answered."""
        settings = self.settings
        return self.subject.languages(
            settings.budget, ablation=self.ablation, words=self.words, samples=settings.sample_numbers
        )

    @property
    def proof(self) -> Proof:
        """The numbers of layers and heads, and whether the components add up to the logits in all answers.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run.
        """
        (proof,) = self.engine.answer([Prove()])
        return proof if proof.gap >= self.engine.gap else replace(proof, gap=self.engine.gap)

    def prepare(self, languages: Sequence[str] | None = None, *, traces: bool = False) -> None:
        """Ask the prompts of several languages together (by default, all languages of the settings).

        Args:
            languages: Codes of the languages.
            traces: Whether attributions are wanted, too: they are captured while the responses are written.
                Where capturing fails, the responses are there all the same, and `traces` raises the reason.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or a language is unknown.
        """
        wanted = tuple(dict.fromkeys(self.settings.languages if languages is None else languages))
        traces = traces and self.proof.problem is None
        traced = {language: self._traced_batches(language) for language in wanted if traces}
        again = [
            (self.name, language)
            for language, batches in traced.items()
            if not all(batch in self.engine for batch in batches)
            and all(replace(batch, traces=False) in self.engine for batch in batches)
        ]
        # Greedy responses come with their attributions.
        alone = not traces or self.settings.sampling is not None
        written = [self._batches(language) for language in wanted] if alone else []
        self.engine.answer([batch for some in (*written, *traced.values()) for batch in some])
        self.subject.asked_again += again

    def responses(self, language: str) -> tuple[Response, ...]:
        """The response to each prompt of a language, in the order of the prompt stream.

        Where responses are drawn (`Settings.sampling`), each prompt has all its samples, one after the other.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or the language is unknown.
        """
        answers = self.engine.answer(self._batches(language))
        return self.subject.in_order(language, self.settings.budget, answers)

    def traces(self, language: str) -> tuple[Traced, ...]:
        """The attribution and adherence of each response, in the order of `responses`.

        Attributions are captured while responses are written, where `prepare` asked for traces; else the
        responses are written again. Attributions are always of greedy responses.

        Raises:
            LengthprobeError: The errors of `responses`; or the components of this checkpoint are not known,
                or do not add up.
        """
        if self.proof.problem is not None:
            raise self.proof.problem
        batches = self._traced_batches(language)
        if not all(one in self.engine for one in batches):
            self.prepare([language], traces=True)
        answers = self.engine.answer(batches)
        if problem := next((one.problem for one in answers if one.problem is not None), None):
            raise problem
        found = {one.response.prompt.id: one for some in answers for one in some.each()}
        return tuple(found[prompt.id] for prompt in self.subject.prompts(language, self.settings.budget))

    def forced(self, texts: Sequence[Forced], *, target: str) -> tuple[ForcedTrace, ...]:
        """The attribution of given texts by this checkpoint's components, with a forward pass for each batch.

        Args:
            texts: The texts.
            target: `token` or `stop_margin`.

        Raises:
            LengthprobeError: The errors of `traces`.
        """
        if self.proof.problem is not None:
            raise self.proof.problem
        places = self._batches_of(texts)
        answers = self.engine.answer(self._forces(texts, target, places))
        return _in_place(places, answers)

    def has_forced(self, target: str, texts: Sequence[Forced] | None = None) -> bool:
        """Whether `forced` has answers for these texts (None: for any text), so a call costs nothing."""
        if texts is None:
            return any(isinstance(one, Force) and one.target == target for one in self.engine)
        return all(one in self.engine for one in self._forces(texts, target, self._batches_of(texts)))

    def under(
        self, asked: Sequence[tuple[Prompt, Ablation]], *, beyond: int | None = None
    ) -> tuple[Response, ...]:
        """The response to each prompt under the prompt's own ablation: many ablations share a batch.

        Args:
            asked: The prompts, each with the components to ablate beside the probe's own ablation.
            beyond: Words above N after which a response is cut off; None: up to the cap.

        Raises:
            SettingsError: A component does not exist, or no component would be left.
            LengthprobeError: The checkpoint cannot be loaded or run, or the components are not known.
        """
        wanted = [(prompt, self.ablation.with_all(one)) for prompt, one in asked]
        for ablation in {one for _, one in wanted}:
            self.check_ablation(ablation)
        batches = [
            batch
            for places in self.subject.by_look(prompt for prompt, _ in wanted)
            for batch in mixed_batches(
                [wanted[place] for place in places], self.batch_size, words=self.words, beyond=beyond
            )
        ]
        answers = self.engine.answer(batches)
        given = {
            row: response
            for batch, answer in zip(batches, answers, strict=True)
            for row, response in zip(batch.rows, answer.responses, strict=True)
        }
        return tuple(given[prompt.id, ablation] for prompt, ablation in wanted)

    def heads(self, names: str | Component | Iterable[str | Component]) -> tuple[Component, ...]:
        """The heads with some names: a head (`L3H1`), or a layer's heads (`L3H*`).

        Raises:
            SettingsError: A head does not exist, no head is named, or another component is named.
            ModelError: The checkpoint's components are not known.
        """
        return only_heads(self.components(names))

    def attention(
        self, looks: Sequence[Look], heads: str | Component | Iterable[str | Component]
    ) -> tuple[Floats, ...]:
        """The share of some heads' attention on words of a prompt, from places of a text after the prompt.

        Args:
            looks: The texts, with the places and the words.
            heads: Names of h heads, in the forms of `heads`.

        Returns:
            For each look, over its b steps and k targets, [b, h, k].

        Raises:
            SettingsError: The errors of `heads`; or this probe is ablated.
            LengthprobeError: The errors of `traces`; or the tokens of a word are not known.
        """
        if self.ablation.components:
            raise SettingsError(
                f"{self.name}: attention is asked of the whole model only",
                "ask the probe outside of its `with probe.ablated(...)`",
            )
        chosen = self.heads(heads)
        places = self._batches_of(looks)
        questions = [Attend(tuple(looks[place] for place in some), chosen) for some in places]
        answers = self.engine.answer(questions)
        return _in_place(places, answers)

    def losses(self, texts: Sequence[str], ablation: Ablation) -> tuple[float, ...]:
        """The mean negative log-likelihood, in nats a token, of ordinary texts under an ablation.

        Raises:
            SettingsError: A component does not exist, or no component would be left.
            LengthprobeError: The checkpoint cannot be loaded, or the ablation not be had.
        """
        every = self.ablation.with_all(ablation)
        self.check_ablation(every)
        (answer,) = self.engine.answer([Score(tuple(texts), every)])
        return tuple(answer)

    def texts(self, rows: Iterable[Sequence[int]]) -> list[str]:
        """The text of each row of tokens; special tokens are left out (`Checkpoint.decode`).

        Raises:
            LengthprobeError: The checkpoint cannot be loaded.
        """
        (answer,) = self.subject.memory.answer([Spell(tuple(map(tuple, rows)))])
        return answer

    def outputs(self, languages: Iterable[str] | None = None) -> ComponentOutputs:
        """The sizes and the means of the outputs of the whole model's components.

        The outputs are read at the positions where the model writes the responses to the first prompts of
        each language on discovery topics.

        Args:
            languages: Codes of languages; by default all languages of the settings, the languages of mean
                ablation.

        Raises:
            SettingsError: None of the prompts is on a discovery topic.
            LengthprobeError: The errors of `traces`.
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
        """The components with some names: `L3H1`, `L3H*`, `MLP3`, `L3`.

        Raises:
            SettingsError: A component does not exist, or no component is named.
            ModelError: The checkpoint's components are not known.
        """
        proof = self.proof
        if proof.problem is not None:
            raise proof.problem
        return find_components(
            wanted, n_layers=proof.n_layers, n_heads=proof.n_heads, model=self.subject.name
        )

    def check_ablation(self, ablation: Ablation) -> None:
        """Refuse an impossible ablation; an empty ablation is possible without known components."""
        if ablation.components:
            self.components(ablation.components)
            proof = self.proof
            check_some_left(ablation, n_layers=proof.n_layers, n_heads=proof.n_heads, model=self.subject.name)

    def _batches(self, language: str) -> tuple[Write, ...]:
        """The questions for all responses, sample after sample."""
        return tuple(
            batch
            for sample in self.settings.sample_numbers
            for batch in self.subject.batches(
                language, self.settings.budget, ablation=self.ablation, words=self.words, sample=sample
            )
        )

    def _traced_batches(self, language: str) -> tuple[Write, ...]:
        """The questions for the attributions of greedy responses."""
        return self.subject.batches(
            language, self.settings.budget, ablation=self.ablation, words=self.words, traces=True
        )

    def _forces(self, texts: Sequence[Forced], target: str, places: Sequence[Sequence[int]]) -> list[Force]:
        return [Force(tuple(texts[place] for place in some), self.ablation, target) for some in places]

    def _batches_of(self, texts: Sequence[Forced | Look]) -> list[Sequence[int]]:
        """The places of some texts in batches; a batch has the texts of prompts of one look."""
        size = self.batch_size
        return [
            together[first : first + size]
            for together in self.subject.by_look(text.prompt for text in texts)
            for first in range(0, len(together), size)
        ]


def _in_place(places: Sequence[Sequence[int]], answers: Iterable[Sequence[T]]) -> tuple[T, ...]:
    """The answers to all texts, in the order of the texts."""
    found = {
        place: answer
        for together, given in zip(places, answers, strict=True)
        for place, answer in zip(together, given, strict=True)
    }
    return tuple(found[place] for place in sorted(found))
