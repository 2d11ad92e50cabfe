"""A checkpoint under measurement: asks each prompt once, and remembers what was answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lengthprobe.models.catalog import resolve
from lengthprobe.models.held import Held
from lengthprobe.runs.answers import Answers, Proof, Traced, pack_forced, unpack_forced
from lengthprobe.runs.exchange import Alone, Exchange
from lengthprobe.runs.keys import forced_question, prompts_question, question_key
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, Response, prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lengthprobe.attribution.forced import Forced
    from lengthprobe.attribution.readout import Readout
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.models.files import Files
    from lengthprobe.models.loading import Checkpoint
    from lengthprobe.runs.identity import Identity


class Probe:
    """One checkpoint under measurement.

    The name is understood at once; the checkpoint is loaded when the first response is wanted.

    Args:
        name: Alias, hub id, directory, or fixture model.
        settings: What is asked.
        family: Among how many comparisons the chance of a false `broken` is shared.
        exchange: How processes share the work, None for one process.
        progress: Told how many prompts are answered, and how many there are.

    Raises:
        ModelError: Nothing is known by this name.
    """

    def __init__(
        self,
        name: str,
        settings: Settings | None = None,
        *,
        family: int = 1,
        exchange: Exchange | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.name = name
        self.settings = settings or Settings()
        self.family = family
        self.source = resolve(name)
        self._exchange: Exchange = exchange or Alone()
        self._progress = progress or (lambda _done, _total: None)
        self._held = Held(name, self.settings)
        self._identity: Identity | None = None
        self._proven = False
        self._responses: dict[str, tuple[Response, ...]] = {}
        self._readout: Readout | None = None
        self._parts: Proof | None = None
        self._traced: dict[str, tuple[Traced, ...]] = {}
        self._forced: dict[tuple[str, tuple[Forced, ...]], tuple[ForcedTrace, ...]] = {}
        self._split_batches = 0
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
            self._forced[key] = tuple(self._force(texts, target))
        return self._forced[key]

    @property
    def parts(self) -> Proof:
        """What is known of the model's parts: how many, and whether they add up to its logits.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run.
        """
        if self._parts is None:
            key = self._key({"parts": True})
            made = self._exchange.gather([key], lambda _key: self._prove().to_bytes())
            self._parts = Proof.from_bytes(made[key])
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
        """How many batches were split for want of memory."""
        return self._split_batches

    def identity(self) -> Identity:
        """All that determines the responses: digests, versions, settings as they were used.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded, or not be asked in this form.
        """
        if self._identity is None:
            from lengthprobe.runs.identity import identify

            self._identity = self._held.once(
                lambda: identify(self.checkpoint, self.settings, batch_size=self.batch_size)
            )
        return replace(self._identity, split_batches=self._split_batches)

    def _ask(self, wanted: Sequence[Prompt], traces: bool) -> dict[str, Traced]:
        """The answers by prompt id; batches that another process has made come from there."""
        from lengthprobe.models.generation import batches

        self._progress(0, len(wanted))
        keyed = {
            self._key(prompts_question(batch, self.settings, traces=traces)): batch
            for batch in batches(wanted, self.batch_size)
        }
        done = 0

        def make(key: str) -> bytes:
            nonlocal done
            content = self._held.once(lambda: self._make(keyed[key], traces))
            done += len(keyed[key])
            self._progress(done, len(wanted))
            return content.to_bytes()

        made = self._exchange.gather(list(keyed), make)
        self._progress(len(wanted), len(wanted))
        found: dict[str, Traced] = {}
        for key, batch in keyed.items():
            answers = Answers.from_bytes(made[key], batch)
            self._split_batches += answers.pieces > 1
            found |= {one.response.prompt.id: one for one in answers.each()}
            if traces:
                self._parts = replace(self.parts, gap=max(self.parts.gap, answers.gap))
        return found

    def _make(self, batch: Sequence[Prompt], traces: bool) -> Answers:
        from lengthprobe.models.generation import check_logits
        from lengthprobe.runs.answering import answer

        if not self._proven:
            check_logits(self.checkpoint, batch[0], self.settings)
            self._proven = True
        return answer(self.checkpoint, batch, self.settings, self._readout_of_parts() if traces else None)

    def _prove(self) -> Proof:
        """Find the parts, and whether they add up, on a few prompts of the first language."""
        from lengthprobe.runs.answering import PROOF_PROMPTS, prove

        settings = self.settings
        few = min(PROOF_PROMPTS, settings.budget)
        first = prompts(settings.languages[0], lengths=settings.lengths, budget=few, seed=settings.seed)
        return self._held.once(lambda: prove(self.checkpoint, first, settings, self._readout_of_parts))

    def _readout_of_parts(self) -> Readout:
        """The readout of the loaded model.

        Raises:
            ModelError: Its family is not known.
        """
        if self._readout is None:
            from lengthprobe.attribution.readout import readout_of
            from lengthprobe.models.anatomy import anatomy_of

            self._readout = readout_of(anatomy_of(self.checkpoint.model))
        return self._readout

    def _force(self, texts: Sequence[Forced], target: str) -> list[ForcedTrace]:
        size = self.batch_size
        chunks = [
            (self._key(forced_question(some, self.settings, target)), some)
            for some in (texts[start : start + size] for start in range(0, len(texts), size))
        ]
        keyed = dict(chunks)

        def make(key: str) -> bytes:
            from lengthprobe.attribution.forced import attribute_forced

            # A text that cannot be forced says nothing of the checkpoint: no failure to remember.
            return pack_forced(
                attribute_forced(self.checkpoint, keyed[key], self.settings, target=target, batch_size=size)
            )

        made = self._exchange.gather(list(keyed), make)
        return [one for key, _ in chunks for one in unpack_forced(made[key])]

    def _key(self, asked: Mapping[str, Any]) -> str:
        return question_key(self.source, self.settings, self.batch_size, asked)


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
