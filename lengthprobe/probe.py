"""A checkpoint under measurement: asks each prompt once, and remembers what was answered."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.exchange import Alone, Exchange
from lengthprobe.asking.progress import reading, silent
from lengthprobe.asking.questions import Questions
from lengthprobe.asking.respondent import Respondent
from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.display_names import display_name as name_alone
from lengthprobe.checkpoints.held import Held
from lengthprobe.components.names import Ablation, Component, check_some_left, find_components
from lengthprobe.errors import SettingsError
from lengthprobe.generation.vocabulary import WORDS
from lengthprobe.margins import Family
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, Response, prompts, split_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lengthprobe.activations.looks import Floats, Look
    from lengthprobe.activations.outputs import Outputs
    from lengthprobe.asking.answers import Proof, Traced
    from lengthprobe.asking.progress import Tell
    from lengthprobe.attribution.forced import Forced
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.runs.identity import Identity
    from lengthprobe.statistics.forms import Form

# So many responses a language tell how large the parts' outputs are, and what they are on average.
REFERENCE_PROMPTS = 50
ROLES = ("model", "base", "reference")


class Probe:
    """One checkpoint under measurement.

    The name is understood at once; the checkpoint is loaded when the first response is wanted.

    Args:
        name: Alias, hub id, directory, or fixture model.
        settings: What is asked.
        family: By how much alpha is divided for `broken`, as checks share it; by default it is not.
        exchange: How processes share the work, None for one process.
        progress: Told what is asked, and how much of it is done (`asking.progress`).
        display_name: What expressions and reports call it, by default the last segment of a path
            (`checkpoints.display_names`). This is the probe's `name`; the name as typed is `source.name`.

    Raises:
        ModelError: Nothing is known by this name.
    """

    def __init__(
        self,
        name: str,
        settings: Settings | None = None,
        *,
        family: Family | None = None,
        exchange: Exchange | None = None,
        progress: Tell | None = None,
        display_name: str | None = None,
    ) -> None:
        self.name = display_name or name_alone(name)
        self.settings = settings or Settings()
        self.family = family or Family()
        self.source = resolve(name)
        self._progress = progress or silent
        self._held = Held(name, self.settings, lambda size: reading(self._progress, size))
        self._exchange = exchange or Alone()
        self._questions = Questions(
            Respondent(
                self.source,
                self._held,
                self.settings,
                exchange=self._exchange,
                progress=self._progress,
                means=lambda: self.outputs().means,
                written=self.responses,
            )
        )
        # Of a probe within a block: what is ablated, the words it writes with, the probe of the whole model.
        self.ablation = Ablation()
        self.words: str | None = None
        self._whole = self
        self.role = "model"
        self._ended = False
        self._identity: Identity | None = None
        self._form: Form | None = None
        self._responses: dict[str, tuple[Response, ...]] = {}
        self._parts: Proof | None = None
        self._traced: dict[str, tuple[Traced, ...]] = {}
        self._forced: dict[tuple[str, tuple[Forced, ...]], tuple[ForcedTrace, ...]] = {}
        # Of the whole model's probe: what those within its blocks were answered, to be there in the next one.
        self._kept: dict[tuple[Ablation, str | None], dict[str, tuple[Response, ...]]] = {}
        # The languages whose prompts were answered a second time, for their attributions.
        self.asked_again: list[str] = []

    def __repr__(self) -> str:
        return f"Probe({self.name!r})"

    def responses(self, language: str) -> tuple[Response, ...]:
        """The response to each prompt of a language, in the order of the prompt stream.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or the language is unknown.
        """
        if language not in self._responses:
            self.prepare([language])
        return self._responses[language]

    def prepare(self, languages: Sequence[str] | None = None, *, traces: bool = False) -> None:
        """Ask the prompts of several languages in one go (all of the settings' by default).

        Args:
            languages: Their codes.
            traces: Whether attributions are wanted too: they are captured while the responses are written.
                Where that is not possible, `traces` says why, and the responses are there all the same.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or a language is unknown.
        """
        settings = self.settings
        wanted = settings.languages if languages is None else languages
        traced = traces and self.parts.problem is None
        has = self._traced if traced else self._responses
        missing = [language for language in dict.fromkeys(wanted) if language not in has]
        asked = {
            language: prompts(language, lengths=settings.lengths, budget=settings.budget, seed=settings.seed)
            for language in missing
        }
        if not asked:
            return
        answers = self._ask([prompt for some in asked.values() for prompt in some], traced)
        self.asked_again += [language for language in asked if language in self._responses]
        for language, some in asked.items():
            found = [answers[prompt.id] for prompt in some]
            self._responses[language] = tuple(one.response for one in found)
            if traced:
                self._traced[language] = tuple(found)

    def traces(self, language: str) -> tuple[Traced, ...]:
        """The attribution and adherence of each response, in the order of `responses`.

        Captured while the responses were written, where `prepare` was told to; else they are written again.

        Raises:
            LengthprobeError: As `responses`; or the parts of this checkpoint are not known, or do not add up.
        """
        if language not in self._traced and self.parts.problem is None:
            self.prepare([language], traces=True)
        problem = self.parts.problem or next(
            (one.problem for one in self._traced[language] if one.problem is not None), None
        )
        if problem is not None:
            raise problem
        return self._traced[language]

    def forced(self, texts: Sequence[Forced], *, target: str) -> tuple[ForcedTrace, ...]:
        """What this checkpoint's parts say to texts that it is given, one forward pass a batch.

        Args:
            texts: The texts.
            target: `token` or `stop_margin`.

        Raises:
            LengthprobeError: As `traces`.
        """
        key = (target, tuple(texts))
        if key not in self._forced:
            if self.parts.problem is not None:
                raise self.parts.problem
            self._check_open()
            self._forced[key] = tuple(self._questions.forced(texts, self.ablation, target=target))
        return self._forced[key]

    def forced_before(self, target: str) -> list[tuple[Forced, ...]]:
        """The texts that `forced` has been asked about, as they were asked together: again costs nothing."""
        return [texts for asked, texts in self._forced if asked == target]

    def heads(self, names: str | Component | Iterable[str | Component]) -> tuple[Component, ...]:
        """The heads that some names mean: a head (`L3H1`), or a layer's heads (`L3H*`).

        Raises:
            SettingsError: A head does not exist, none is named, or another component is.
            ModelError: The checkpoint's parts are not known.
        """
        found = self._components(names)
        if not all(one.kind == "head" for one in found):
            raise SettingsError(
                f"{', '.join(one.name for one in found if one.kind != 'head')} is no head",
                "name heads: L3H1, or L3H* for a layer's",
            )
        return found

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
        return self._questions.attention(looks, self.heads(heads), check=self._check_open)

    @property
    def parts(self) -> Proof:
        """What is known of the model's parts: how many, and whether they add up to its logits.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run.
        """
        if self._parts is None:
            self._parts = self._questions.proof()
        return self._parts

    @property
    def asked(self) -> tuple[str, ...]:
        """The languages whose prompts have been answered."""
        return tuple(self._responses)

    @property
    def files(self) -> Files:
        """The checkpoint on disk; raises ModelError where there is none that can be run."""
        return self._held.files

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint in memory; raises ModelError where it cannot be loaded."""
        return self._held.checkpoint

    @property
    def batch_size(self) -> int:
        """Most prompts at once; raises ModelError where the checkpoint or its device is not to be had."""
        return self._held.batch_size

    @property
    def split_batches(self) -> int:
        """How many batches of this checkpoint were split for want of memory, within blocks too."""
        return self._questions.split_batches

    @property
    def form(self) -> Form:
        """In what the checkpoint is asked: prompt form, template, system prompt, ends.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded, or not be asked in this form.
        """
        whole = self._whole
        if whole._form is None:
            from lengthprobe.asking.forms import shared_form

            whole._form = shared_form(self.source, self._held, self.settings, self._exchange)
        return replace(whole._form, across=self.settings.across_forms)

    def across_forms(self) -> Probe:
        """A probe of this checkpoint whose estimates may be compared with those of any other form.

        It shares with this one all that was asked.
        """
        other = copy(self)
        other.settings = replace(self.settings, across_forms=True)
        return other

    @property
    def whole(self) -> Probe:
        """The probe of the whole model, of which nothing is ablated."""
        return self._whole

    def in_role(self, role: str) -> Probe:
        """A probe of this checkpoint as claims take it; it shares with this one all that was asked.

        Args:
            role: `model`: a claim of cause presupposes that it keeps to lengths (`measures.precondition`).
                `base`: no claim does. `reference`: where it keeps to none, nothing is decided of others.

        Raises:
            SettingsError: There is no such role.
        """
        if role not in ROLES:
            raise SettingsError(f"role {role!r} is not known", f"role is one of {', '.join(ROLES)}")
        other = copy(self)
        other.role = role
        return other

    def identity(self) -> Identity:
        """All that determines the responses: digests, versions, settings as they were used.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded, or not be asked in this form.
        """
        whole = self._whole
        if whole._identity is None:
            from lengthprobe.runs.identity import identify

            reading(self._progress, self.files.weight_bytes, "computing the digest of")
            whole._identity = self._held.once(
                lambda: identify(self.checkpoint, self.settings, batch_size=self.batch_size)
            )
        return replace(
            whole._identity,
            display_name=self._whole.name,
            split_batches=self.split_batches,
            ablation=self.ablation.as_dict() or None,
            words=self.words,
        )

    @contextmanager
    def ablated(
        self, components: str | Component | Iterable[str | Component], mode: str = "zero"
    ) -> Iterator[Probe]:
        """A probe of this checkpoint with the outputs of some components replaced (METHODS §4).

        It measures as any other, under a name and an identity of its own, and shares this one's weights,
        which stay as they are: in the block this probe still asks the whole model. Outputs are replaced at
        prompt and generated positions alike. Blocks nest: what is replaced twice is replaced as the inner
        one says. After the block the ablated probe keeps what it measured, and can be asked nothing new.

        Args:
            components: Heads (`L3H1`, `L3H*`), MLPs (`MLP3`), or whole layers (`L3`).
            mode: `zero`: nothing is put in place. `mean`: the component's mean output (`outputs`).
                `resample`: what it puts out at the same position of the same text under the same prompt
                asking for another N, as in activation patching.

        Raises:
            SettingsError: A component does not exist, none is named, none would be left, or the mode is
                unknown.
            ModelError: The checkpoint's parts are not known.
        """
        self._check_open()
        ablation = self.ablation.and_also(self._components(components), mode)
        self._check_ablation(ablation)
        with self._within(ablation, self.words) as inner:
            yield inner

    @contextmanager
    def writing(self, words: str) -> Iterator[Probe]:
        """A probe of this checkpoint that writes with words of one kind alone (METHODS §4).

        They are words of its own ordinary responses in each language, as many of one kind as of the other and
        matched in frequency (`generation.vocabulary`); between them and at the end stands what
        `generation.constraint` says. It measures as any other, as in `ablated`; blocks of both nest.
        Attributions are of the scores as the model gives them, before words are forbidden.

        Args:
            words: `one-token` or `several-token`: how many tokens the checkpoint wrote each with.

        Raises:
            SettingsError: There are no such words, or this probe is already so constrained. That it wrote too
                few of them is said when it is asked.
        """
        self._check_open()
        if words not in WORDS:
            raise SettingsError(f"words {words!r} are not known", f"words is one of {', '.join(WORDS)}")
        if self.words is not None:
            raise SettingsError(
                f"{self.name} writes with {self.words} words already",
                "ask the probe outside of its `with probe.writing(...)`",
            )
        with self._within(self.ablation, words) as inner:
            yield inner

    @contextmanager
    def _within(self, ablation: Ablation, words: str | None) -> Iterator[Probe]:
        """A probe of the same checkpoint, for a block."""
        whole = self._whole
        # All that it shares is there: the name need not be understood again.
        inner = copy(self)
        inner.ablation, inner.words = ablation, words
        told = [ablation.label] if ablation.components else []
        told += [f"{words} words"] if words else []
        inner.name = f"{whole.name} [{'; '.join(told)}]"
        inner._responses = whole._kept.setdefault((ablation, words), {})
        inner._traced, inner._forced, inner.asked_again = {}, {}, []
        try:
            yield inner
        finally:
            inner._ended = True

    def under(
        self, asked: Sequence[tuple[Prompt, Ablation]], *, beyond: int | None = None
    ) -> tuple[Response, ...]:
        """The response to each prompt under an ablation of its own: many ablations share a batch.

        Args:
            asked: The prompts, with what is ablated for each beside what this probe ablates.
            beyond: So many words above N a response is followed, and then cut off; None: up to the cap.

        Raises:
            SettingsError: A component does not exist, or none would be left.
            LengthprobeError: The checkpoint cannot be loaded or run, or its parts are not known.
        """
        wanted = [(prompt, self.ablation.with_all(one)) for prompt, one in asked]
        for ablation in {one for _, one in wanted}:
            self._check_ablation(ablation)
        return self._questions.under(
            wanted, batch_size=self.batch_size, check=self._check_open, words=self.words, beyond=beyond
        )

    def losses(self, texts: Sequence[str], ablation: Ablation) -> tuple[float, ...]:
        """The mean negative log-likelihood, in nats a token, of ordinary texts under an ablation.

        Raises:
            SettingsError: A component does not exist, or none would be left.
            LengthprobeError: The checkpoint cannot be loaded, or the ablation not be had.
        """
        every = self.ablation.with_all(ablation)
        self._check_ablation(every)
        return self._questions.losses(texts, every, check=self._check_open)

    def outputs(self, languages: Iterable[str] | None = None) -> Outputs:
        """How large the whole model's parts' outputs are, and what they are on average.

        Taken where it writes the responses to the first prompts of each language on discovery topics.

        Args:
            languages: Codes of languages; by default all of the settings', over which mean ablation goes.

        Raises:
            SettingsError: None of the prompts is on a discovery topic.
            LengthprobeError: As `traces`.
        """
        if self._whole is not self:
            return self._whole.outputs(languages)
        if self.parts.problem is not None:
            raise self.parts.problem
        wanted = self.settings.languages if languages is None else tuple(languages)
        chosen = [
            one
            for language in wanted
            for one in [
                one
                for one in self.responses(language)
                if split_of(one.prompt) == "discovery" and not one.is_unfinished_thought
            ][:REFERENCE_PROMPTS]
        ]
        if not chosen:
            raise SettingsError(
                f"the parts' mean outputs are taken over discovery topics, and of {self.settings.budget} "
                f"prompts in {', '.join(wanted)} none is on one",
                "--lengthprobe-budget=300, or another mode of ablation: zero, resample",
            )
        return self._questions.outputs(chosen)

    def _components(self, wanted: str | Component | Iterable[str | Component]) -> tuple[Component, ...]:
        """The components that some names mean, of a checkpoint whose parts are known."""
        proof = self.parts
        if proof.problem is not None:
            raise proof.problem
        return find_components(wanted, n_layers=proof.n_layers, n_heads=proof.n_heads, model=self._whole.name)

    def _check_ablation(self, ablation: Ablation) -> None:
        """Refuse what cannot be ablated; of a checkpoint that nothing is ablated of no part need be known."""
        if ablation.components:
            self._components(ablation.components)
            parts = self.parts
            check_some_left(ablation, n_layers=parts.n_layers, n_heads=parts.n_heads, model=self._whole.name)

    def _ask(self, wanted: Sequence[Prompt], traces: bool) -> dict[str, Traced]:
        """The answers by prompt id."""
        from lengthprobe.generation.transformers_engine import batches

        self._check_open()
        chunks = [[(prompt, self.ablation) for prompt in one] for one in batches(wanted, self.batch_size)]
        answers = self._questions.answers(chunks, traces=traces, words=self.words)
        if traces:
            self._parts = replace(self.parts, gap=max([self.parts.gap, *(one.gap for one in answers)]))
        return {one.response.prompt.id: one for some in answers for one in some.each()}

    def _check_open(self) -> None:
        if self._ended:
            raise SettingsError(
                f"{self.name}: its block has ended",
                "measure inside of `with probe.ablated(...) as ablated:`, or of `with probe.writing(...)`",
            )


def load(name_or_path: str, **settings: Any) -> Probe:
    """A probe of the checkpoint with this name.

    Args:
        name_or_path: Alias, hub id, directory, or fixture model.
        settings: Fields of `lengthprobe.settings.Settings`, such as `device_map`, `dtype`, `budget`.

    Raises:
        ModelError: Nothing is known by this name.
        SettingsError: A setting has a value that cannot be used.
    """
    return Probe(name_or_path, Settings(**settings))
