"""Probe: a checkpoint under measurement, and the views of the checkpoint within blocks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.asker import Asker
from lengthprobe.asking.progress import ignore_progress
from lengthprobe.asking.questions import Describe
from lengthprobe.asking.remembering import Block
from lengthprobe.asking.subject import WHOLE, Subject
from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.display_names import display_name as name_alone
from lengthprobe.errors import SettingsError
from lengthprobe.generation.vocabulary import WORDS
from lengthprobe.margins import AlphaShares
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lengthprobe.asking.engine import KeptEngine
    from lengthprobe.asking.progress import Tell
    from lengthprobe.asking.sharing import Exchange
    from lengthprobe.asking.store import Store
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.runs.identity import Identity
    from lengthprobe.statistics.forms import Form
    from lengthprobe.statistics.looks import PlannedLook

ROLES = ("model", "base", "reference")


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Probe(Asker):
    """A checkpoint under measurement: a view of the checkpoint, without a state of its own.

    The name is resolved at once; the checkpoint is loaded when the first response is wanted.

    Args:
        name: Alias, hub id, directory, or fixture model.
        settings: Which prompts are asked, and how.
        alpha_shares: Into how many shares alpha is divided for `broken`; by default alpha is not divided.
        exchange: How processes share the work, None for a single process.
        store: Where answers are kept for later runs (`asking.store`), None for nowhere.
        progress: Called with each question and how much is done (`asking.progress`).
        display_name: The checkpoint's name in expressions and reports, by default the last segment of a path
            (`checkpoints.display_names`). This is the probe's `name`; the name as typed is `source.name`.
        kept: Answers from a saved run in place of a checkpoint (`runs.saved_engine`).

    Raises:
        ModelError: Nothing is known by this name.
    """

    alpha_shares: AlphaShares
    role: str

    def __init__(
        self,
        name: str,
        settings: Settings | None = None,
        *,
        alpha_shares: AlphaShares | None = None,
        exchange: Exchange | None = None,
        store: Store | None = None,
        progress: Tell | None = None,
        display_name: str | None = None,
        kept: KeptEngine | None = None,
    ) -> None:
        shown, settings = display_name or name_alone(name), settings or Settings()
        subject = Subject(
            shown,
            resolve(name) if kept is None else kept.source,
            settings,
            exchange=exchange,
            store=store,
            tell=progress or ignore_progress,
            means=lambda: self.outputs().means,
            kept=kept,
        )
        shares = alpha_shares or AlphaShares()
        given = (shown, settings, WHOLE, None, subject, subject.memory, shares, "model")
        for field, value in zip(fields(self), given, strict=True):
            object.__setattr__(self, field.name, value)

    def __repr__(self) -> str:
        return f"Probe({self.name!r})"

    @property
    def whole(self) -> Probe:
        """The probe of the whole model, with nothing done to it."""
        return self._viewed(name=self.subject.name, ablation=WHOLE, words=None, engine=self.subject.memory)

    @property
    def greedy(self) -> Probe:
        """The probe with greedy responses, whatever the settings draw; both probes share all answers."""
        return self if self.settings.sampling is None else self._viewed(settings=self.settings.greedy)

    @property
    def asked_again(self) -> tuple[tuple[str, str], ...]:
        """Names of probes of this checkpoint, each with a language answered again for attributions."""
        return tuple(self.subject.asked_again)

    @property
    def split_batches(self) -> int:
        """The number of batches of this checkpoint split for want of memory, within blocks too."""
        return self.subject.memory.split_batches

    @property
    def form(self) -> Form:
        """The form in which the checkpoint is asked: prompt form, template, system prompt, ends.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded, or not be asked in this form.
        """
        (form,) = self.subject.memory.answer([Describe(self.subject.place)])
        # A store may have the form from a run that spelled the checkpoint's path otherwise.
        settings = self.settings
        return replace(form, model=self.source.name, across=settings.across_forms, sampled=settings.sampled)

    def identity(self) -> Identity:
        """All facts that determine the responses: digests, versions, settings as used.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded, or not be asked in this form.
        """
        from lengthprobe.runs.identity import identity_of

        return identity_of(self)

    def in_role(self, role: str) -> Probe:
        """A probe of this checkpoint in a role; both probes share all answers.

        Args:
            role: `model`: a claim of cause presupposes control of the length (`measures.precondition`).
                `base`: no claim presupposes control. `reference`: without control of the reference, nothing
                is decided of the model.

        Raises:
            SettingsError: The role is unknown.
        """
        if role not in ROLES:
            raise SettingsError(f"role {role!r} is not known", f"role is one of {', '.join(ROLES)}")
        return self._viewed(role=role)

    def with_alpha_shares(self, alpha_shares: AlphaShares) -> Probe:
        """A probe of this checkpoint with other shares of alpha; both probes share all answers."""
        return self._viewed(alpha_shares=alpha_shares)

    def at_look(self, look: PlannedLook) -> Probe:
        """A probe of this checkpoint on a look's prompts alone, at the look's part of alpha."""
        return self._viewed(settings=self.settings.at_look(*look))

    def across_forms(self) -> Probe:
        """A probe of this checkpoint whose estimates may be compared with estimates of any other form."""
        return self._viewed(settings=replace(self.settings, across_forms=True))

    @contextmanager
    def ablated(
        self, components: str | Component | Iterable[str | Component], mode: str = "zero"
    ) -> Iterator[Probe]:
        """A probe of this checkpoint with the outputs of some components replaced (METHODS §4).

        The ablated probe measures as any other probe, under a name and an identity of its own. Both probes
        share the weights, which stay unchanged: in the block `self` still asks the whole model. Outputs are
        replaced at prompt and generated positions alike. Blocks nest: for a component in both blocks, the
        mode of the inner block counts. After the block the ablated probe keeps its answers, and can be asked
        nothing new. The ablated probe answers greedily, whatever the settings draw.

        Args:
            components: Heads (`L3H1`, `L3H*`), MLPs (`MLP3`), or whole layers (`L3`).
            mode: `zero`: outputs become 0. `mean`: outputs become the component's mean output (`outputs`).
                `resample`: outputs become the component's output at the same position of the same text under
                the same prompt asking for another N, as in activation patching.

        Raises:
            SettingsError: A component does not exist, none is named, none would be left, or the mode is
                unknown.
            ModelError: The checkpoint's components are not known.
        """
        self.engine.check_open()
        ablation = self.ablation.and_also(self.components(components), mode)
        self.check_ablation(ablation)
        with self._within(ablation, self.words) as inner:
            yield inner

    @contextmanager
    def writing(self, words: str) -> Iterator[Probe]:
        """A probe of this checkpoint that writes with a single kind of words (METHODS §4).

        The words are from the checkpoint's own ordinary responses in each language. Both kinds have equally
        many words, matched in frequency (`generation.vocabulary`). `generation.constraint` says which tokens
        may stand between words and at the end. The probe measures as any other probe, as in `ablated`; blocks
        of both nest. Attributions are of the model's own scores, before words are forbidden. Responses are
        greedy, as in `ablated`.

        Args:
            words: `one-token` or `several-token`, by the tokens with which the checkpoint wrote each word.

        Raises:
            SettingsError: The kind is unknown, or this probe is already constrained to a kind. A checkpoint
                with too few words of the kind raises later, when the probe is asked.
        """
        self.engine.check_open()
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
        told = [ablation.label] if ablation.components else []
        told += [f"{words} words"] if words else []
        name = f"{self.subject.name} [{'; '.join(told)}]"
        block = Block(self.subject.memory, name)
        try:
            greedy = self.settings.greedy
            yield self._viewed(name=name, settings=greedy, ablation=ablation, words=words, engine=block)
        finally:
            block.has_ended = True

    def _viewed(self, **changes: Any) -> Probe:
        """The probe with some fields changed."""
        view = object.__new__(Probe)
        for field in fields(self):
            object.__setattr__(view, field.name, changes.get(field.name, getattr(self, field.name)))
        return view


def load(name_or_path: str, **settings: Any) -> Probe:
    """A probe of the checkpoint with this name.

    Args:
        name_or_path: Alias, hub id, directory, or fixture model.
        settings: Fields of `lengthprobe.settings.Settings`, for example `device_map`, `dtype`, `budget`.

    Raises:
        ModelError: Nothing is known by this name.
        SettingsError: A setting has a wrong value.
    """
    return Probe(name_or_path, Settings(**settings))
