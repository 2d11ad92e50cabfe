"""Subject: a checkpoint with settings, engine, and all remembered answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.asking.keys import question_key, respondent_of
from lengthprobe.asking.progress import tell_reading
from lengthprobe.asking.question_progress import QuestionProgress
from lengthprobe.asking.questions import Write, row_order
from lengthprobe.asking.remembering import Remembering
from lengthprobe.asking.sharing import Shared
from lengthprobe.asking.store import Storing
from lengthprobe.asking.transformers_engine import TransformersEngine
from lengthprobe.checkpoints.held import Held
from lengthprobe.components.names import Ablation
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.asking.answers import Answers
    from lengthprobe.asking.engine import Engine, KeptEngine
    from lengthprobe.asking.progress import Tell
    from lengthprobe.asking.questions import Question
    from lengthprobe.asking.sharing import Exchange
    from lengthprobe.asking.store import Store
    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.components.ablation import MeanOutputs
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response

WHOLE = Ablation()


class Subject:
    """A checkpoint, with the state shared by all its probes.

    Args:
        name: The name in reports.
        source: The source of the checkpoint.
        settings: The settings.
        exchange: The place where processes share answers, None for one process.
        store: The place where answers are kept for later runs, None for nowhere.
        tell: Called with the progress.
        means: Gives the mean outputs of the components; called only for an ablation by the mean.
        kept: Answers from a saved run in place of the checkpoint, None for a checkpoint.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        settings: Settings,
        *,
        exchange: Exchange | None,
        store: Store | None,
        tell: Tell,
        means: Callable[[], MeanOutputs],
        kept: KeptEngine | None = None,
    ) -> None:
        self.name, self.source, self.settings = name, source, settings
        self.tell = tell
        self.kept = kept
        self.held = Held(
            source.name,
            settings,
            lambda size: tell_reading(tell, size),
            absent=None if kept is None else kept.absent,
        )
        progress = QuestionProgress(tell)
        engine: Engine = kept or TransformersEngine(
            self.held, settings, progress, means=means, written=self.responses
        )
        if store is not None and kept is None:
            engine = Storing(engine, store, self._key, name)
        if exchange is not None and kept is None:
            engine = Shared(engine, exchange, self._key)
        self.memory = Remembering(engine, progress)
        # The checkpoints' probes and languages whose prompts were answered again, for their attributions.
        self.asked_again: list[tuple[str, str]] = []
        # What `runs.identity` found out; `runs` stands above, and has no name here.
        self.identity: Any = kept and kept.identity
        self._respondent: dict[str, Any] | None = None
        self._streams: dict[str, tuple[Prompt, ...]] = {}
        self._batches: dict[tuple[str, Ablation, str | None, bool], tuple[Write, ...]] = {}

    @property
    def batch_size(self) -> int:
        """Most prompts at once; raises ModelError where the checkpoint or its device is not to be had."""
        return self.held.batch_size if self.kept is None else self.kept.batch_size

    @property
    def place(self) -> str:
        """The folder of the checkpoint or of the saved run."""
        return str(self.held.files.directory if self.kept is None else self.source.path)

    def prompts(self, language: str) -> tuple[Prompt, ...]:
        """The prompts of a language, drawn once."""
        if language not in self._streams:
            settings = self.settings
            self._streams[language] = prompts(
                language, lengths=settings.lengths, budget=settings.budget, seed=settings.seed
            )
        return self._streams[language]

    def batches(
        self, language: str, *, ablation: Ablation = WHOLE, words: str | None = None, traces: bool = False
    ) -> tuple[Write, ...]:
        """The prompts of a language in batches, each a question.

        Raises:
            LengthprobeError: The language is unknown, or the batch size cannot be chosen.
        """
        key = (language, ablation, words, traces)
        if key not in self._batches:
            from lengthprobe.generation.batching import batches

            self._batches[key] = tuple(
                Write(batch, (ablation,) * len(batch), traces, words)
                for batch in batches(self.prompts(language), self.batch_size)
            )
        return self._batches[key]

    def responses(self, language: str) -> tuple[Response, ...]:
        """The whole model's response to each prompt of a language, in the order of the prompt stream."""
        return self.in_order(language, self.memory.answer(self.batches(language)))

    def in_order(self, language: str, answers: Sequence[Answers]) -> tuple[Response, ...]:
        """The responses to the prompts of a language, in the order of the prompt stream."""
        found = {one.prompt.id: one for some in answers for one in some.responses}
        return tuple(found[prompt.id] for prompt in self.prompts(language))

    def languages(self, *, ablation: Ablation = WHOLE, words: str | None = None) -> tuple[str, ...]:
        """The languages whose prompts have been answered, in the order in which they were first asked."""
        asked = dict.fromkeys(key[0] for key in self._batches if key[1:3] == (ablation, words))
        return tuple(
            language
            for language in asked
            if all(one in self.memory for one in self.batches(language, ablation=ablation, words=words))
        )

    def _key(self, question: Question[object]) -> str:
        """The key under which processes share an answer."""
        if self._respondent is None:
            self._respondent = respondent_of(self.held)
        return question_key(self._respondent, self.settings, question.content(self.settings))


def mixed_batches(
    wanted: Sequence[tuple[Prompt, Ablation]], size: int, *, words: str | None, beyond: int | None
) -> list[Write]:
    """Batches of prompts, each prompt under its own ablation.

    The batches depend only on the wanted prompts and ablations, and not on earlier questions.

    Args:
        wanted: The prompts, each with its ablation.
        size: Most prompts in a batch.
        words, beyond: The arguments of `Write`.
    """
    every = sorted(dict.fromkeys(wanted), key=lambda row: row_order(*row))
    chunks = [every[first : first + size] for first in range(0, len(every), size)]
    return [
        Write(tuple(prompt for prompt, _ in some), tuple(one for _, one in some), words=words, beyond=beyond)
        for some in chunks
    ]
