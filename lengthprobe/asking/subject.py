"""Subject: a checkpoint with settings, engine, and all remembered answers."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.kept_rows import KeptRows
from lengthprobe.asking.keys import question_key
from lengthprobe.asking.progress import tell_reading
from lengthprobe.asking.question_progress import QuestionProgress
from lengthprobe.asking.questions import Write, row_order
from lengthprobe.asking.remembering import Remembering
from lengthprobe.asking.respondent import Respondent
from lengthprobe.asking.sharing import Shared
from lengthprobe.asking.spreading import Spreading
from lengthprobe.asking.storing import Storing
from lengthprobe.asking.transformers_engine import TransformersEngine
from lengthprobe.checkpoints.held import Held
from lengthprobe.checkpoints.row_limits import RowLimits
from lengthprobe.components.names import Ablation
from lengthprobe.generation.batches import batches
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
        self._exchange = exchange
        self.held = Held(
            source.name,
            settings,
            lambda size: tell_reading(tell, size),
            limits=RowLimits(self._smallest if exchange is not None else None),
            absent=None if kept is None else kept.absent,
        )
        self.respondent = Respondent(self.held, source, settings, name, store, tell)
        progress = QuestionProgress(tell)
        rows = None if store is None or kept is not None else KeptRows(store, self._key, name)
        writing = TransformersEngine(
            self.held, settings, progress, means=means, written=self.responses, rows=rows
        )
        engine: Engine = kept or writing
        confirm = self.respondent.confirm
        if store is not None and rows is not None:
            engine = Storing(engine, store, self._key, rows=rows, progress=progress, confirm=confirm)
        if exchange is not None and kept is None:
            spreading = Spreading(
                writing,
                exchange,
                batch_size=lambda: self.batch_size,
                confirm=confirm,
                store=store,
                rows=rows,
            )
            engine = Shared(engine, exchange, self._key, spreading)
        self.memory = Remembering(engine, progress)
        # The checkpoints' probes and languages whose prompts were answered again, for their attributions.
        self.asked_again: list[tuple[str, str]] = []
        # What `runs.identity` found out; `runs` stands above, and has no name here.
        self.identity: Any = kept and kept.identity
        # Results of functions of the answers (`measures.computed_once`).
        self.computed: dict[Any, Any] = {}
        self._keys: dict[Question[Any], str] = {}
        self._streams: dict[str, tuple[Prompt, ...]] = {}
        self._places: dict[str, int] = {}
        self._batches: dict[tuple[str, int, Ablation, str | None, bool, int | None], tuple[Write, ...]] = {}

    @property
    def batch_size(self) -> int:
        """Most prompts at once; raises ModelError where the checkpoint or its device is not to be had."""
        return self.respondent.batch_size if self.kept is None else self.kept.batch_size

    @property
    def place(self) -> str:
        """The folder of the checkpoint or of the saved run."""
        return self.respondent.directory if self.kept is None else str(self.source.path)

    def prompts(self, language: str, budget: int | None = None) -> tuple[Prompt, ...]:
        """The first prompts of a language, by default all of the settings."""
        if language not in self._streams:
            settings = self.settings
            stream = prompts(language, lengths=settings.lengths, budget=settings.budget, seed=settings.seed)
            self._streams[language] = stream
            for place, prompt in enumerate(stream):
                self._places[prompt.id] = place
                self._places.setdefault(f"{language} {prompt.topic}", place)
        return self._streams[language][:budget]

    def by_look(self, prompts: Iterable[Prompt]) -> list[list[int]]:
        """The places of some prompts, in groups: prompts first asked at one look form a group.

        So the batches of a look stay the same when prompts of later looks are asked beside them. A prompt of
        no stream goes with the first prompt about its topic.
        """
        groups: dict[int, list[int]] = {}
        for number, prompt in enumerate(prompts):
            self.prompts(prompt.language)
            of_topic = self._places.get(f"{prompt.language} {prompt.topic}", 0)
            look = bisect_right(self.settings.early_looks, self._places.get(prompt.id, of_topic))
            groups.setdefault(look, []).append(number)
        return [groups[look] for look in sorted(groups)]

    def batches(
        self,
        language: str,
        budget: int,
        *,
        ablation: Ablation = WHOLE,
        words: str | None = None,
        traces: bool = False,
        sample: int | None = None,
    ) -> tuple[Write, ...]:
        """The first prompts of a language in batches, each a question.

        A sample (None: greedy) has questions of its own: more samples of a prompt change no other answer.

        Raises:
            LengthprobeError: The language is unknown, or the batch size cannot be chosen.
        """
        key = (language, budget, ablation, words, traces, sample)
        if key not in self._batches:
            stream = self.prompts(language, budget)
            self._batches[key] = tuple(
                Write(batch, (ablation,) * len(batch), traces, words, sample=sample)
                for places in self.by_look(stream)
                for batch in batches([stream[place] for place in places], self.batch_size)
            )
        return self._batches[key]

    def responses(self, language: str) -> tuple[Response, ...]:
        """The whole model's responses to the prompts of the first look, in the order of the prompt stream."""
        first = self.settings.first_prompts
        return self.in_order(language, first, self.memory.answer(self.batches(language, first)))

    def in_order(self, language: str, budget: int, answers: Sequence[Answers]) -> tuple[Response, ...]:
        """The responses to the first prompts of a language, in the order of the prompt stream.

        The samples of a prompt stand together, the first sample first.
        """
        found: dict[str, list[Response]] = {}
        for response in (one for some in answers for one in some.responses):
            found.setdefault(response.prompt.id, []).append(response)
        stream = self.prompts(language, budget)
        return tuple(
            response
            for prompt in stream
            for response in sorted(found[prompt.id], key=lambda response: response.sample or 0)
        )

    def languages(
        self,
        budget: int,
        *,
        ablation: Ablation = WHOLE,
        words: str | None = None,
        samples: Sequence[int | None] = (None,),
    ) -> tuple[str, ...]:
        """The languages whose first prompts have been answered, in the order in which they were asked."""
        asked = dict.fromkeys(key[0] for key in self._batches if key[2:4] == (ablation, words))
        return tuple(
            language
            for language in asked
            if all(
                batch in self.memory
                for sample in samples
                for batch in self.batches(language, budget, ablation=ablation, words=words, sample=sample)
            )
        )

    def _smallest(self, kind: str, number: int | None) -> int | None:
        """The smallest number of rows of a kind with which memory ran out in any process."""
        assert self._exchange is not None
        return self._exchange.smallest(f"{self.source.name} {kind}", number)

    def _key(self, question: Question[Any]) -> str:
        """The key under which processes share an answer, and a store keeps the answer."""
        if question not in self._keys:
            content = question.content(self.settings)
            self._keys[question] = question_key(self.respondent.content, self.settings, content)
        return self._keys[question]


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
