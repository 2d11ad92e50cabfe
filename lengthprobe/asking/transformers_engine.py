"""The engine on transformers and torch, for text and for components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.asking.merging import can_be_merged, is_worth_merging, merge
from lengthprobe.asking.questions import Attend, Describe, Force, Observe, Prove, Score, Spell, Write
from lengthprobe.errors import SettingsError
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lengthprobe.asking.kept_rows import KeptRows
    from lengthprobe.asking.merging import Merged
    from lengthprobe.asking.question_progress import QuestionProgress
    from lengthprobe.asking.questions import Question
    from lengthprobe.attribution.readout import Readout
    from lengthprobe.checkpoints.held import Held
    from lengthprobe.components.ablation import MeanOutputs, Surgery
    from lengthprobe.components.names import Ablation
    from lengthprobe.generation.constraint import Constraint
    from lengthprobe.generation.vocabulary import Vocabulary
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response


class TransformersEngine:
    """Answers with a checkpoint, loaded for the first question.

    Args:
        held: The checkpoint.
        settings: The settings.
        progress: Reports each question.
        means: Gives the mean outputs of the components; called only for an ablation by the mean.
        written: Gives the checkpoint's own responses in a language; called where a constraint needs their
            words.
        rows: Keeps the rows of calls that several questions share; None: a killed run loses such rows.
    """

    can = frozenset({"text", "components"})

    def __init__(
        self,
        held: Held,
        settings: Settings,
        progress: QuestionProgress,
        *,
        means: Callable[[], MeanOutputs],
        written: Callable[[str], Sequence[Response]],
        rows: KeptRows | None = None,
    ) -> None:
        self._held, self._settings, self._progress = held, settings, progress
        self._means, self._written, self._rows = means, written, rows
        self._vocabularies: dict[tuple[str, str], Vocabulary] = {}
        self._readout: Readout | None = None
        self._has_run = False

    def answer(self, questions: Sequence[Question[Any]]) -> Iterator[Any]:
        """The answer to each question, in order (`asking.engine.Engine.answer`)."""
        from lengthprobe.asking import answering

        merged = self._merged(questions)
        if merged:
            yield from merged.whole()
        for question in merged.calls if merged else questions:
            with self._progress.during(question):
                # No function of its own: who reads a traceback finds the question here.
                if isinstance(question, Write):
                    checkpoint, tools = self._held.checkpoint, self._tools(question)
                    answer = answering.answer(checkpoint, question.prompts, self._settings, **tools)
                else:
                    answer = self._answer_one(question)
            if merged and self._rows and isinstance(question, Write):
                self._rows.put(question, answer)
            yield from merged.divide(answer) if merged else (answer,)

    @property
    def keeps_rows_apart(self) -> bool:
        """Whether questions can share calls: a row's neighbours move only the last bits of its logits."""
        import torch

        from lengthprobe.checkpoints.precision import multiplies_exactly

        checkpoint = self._held.checkpoint
        return checkpoint.dtype == torch.float32 and multiplies_exactly() and not checkpoint.quantized

    def _merged(self, questions: Sequence[Question[Any]]) -> Merged | None:
        """The questions in fewer calls, None where merging gains nothing, or might change a response.

        In float32 a row's neighbours move the last bits of its logits. In a shorter format, or where
        activations are quantized too, they move enough to change tokens.
        """
        size = self._held.batch_size
        if not can_be_merged(questions) or not self.keeps_rows_apart:
            return None
        # A killed run left rows behind only where questions shared calls.
        known = self._rows.get(questions) if self._rows else {}
        self._progress.find(len(known))
        return merge(questions, size, known) if known or is_worth_merging(questions, size) else None

    def _answer_one(self, question: Question[Any]) -> Any:
        """The answer to a question for which nothing is written."""
        checkpoint, settings, size = self._held.checkpoint, self._settings, self._held.batch_size
        match question:
            case Prove():
                from lengthprobe.asking.answering import PROOF_PROMPTS, prove

                few = min(PROOF_PROMPTS, settings.budget)
                first = prompts(
                    settings.languages[0], lengths=settings.lengths, budget=few, seed=settings.seed
                )
                return prove(checkpoint, first, settings, self._components)
            case Describe():
                from lengthprobe.asking.forms import checkpoint_form

                return checkpoint_form(checkpoint, settings)
            case Force(texts, ablation, target):
                from lengthprobe.attribution.forced import attribute_forced

                surgery = self._surgery([one.prompt for one in texts], [ablation] * len(texts))
                return attribute_forced(
                    checkpoint, texts, settings, target=target, batch_size=size, surgery=surgery
                )
            case Attend(looks, heads):
                from lengthprobe.activations.looks import look

                return look(checkpoint, looks, settings, heads, batch_size=size)
            case Score(texts, ablation):
                from lengthprobe.generation.likelihood import text_losses

                if ablation.resample:
                    raise SettingsError(
                        "resampling takes outputs from a prompt with another N, and an ordinary text "
                        "asks for none",
                        "mode zero or mean",
                    )
                return text_losses(checkpoint, texts, batch_size=size, surgery=self._surgery([], [ablation]))
            case Observe(responses):
                from lengthprobe.activations.outputs import outputs_of

                anatomy = self._components().anatomy
                return outputs_of(checkpoint, anatomy, responses, settings, batch_size=size)
            case Spell(rows):
                return [checkpoint.decode(row) for row in rows]
        raise TypeError(f"{type(question).__name__} is no question that is known")

    def _tools(self, question: Write) -> dict[str, Any]:
        """The tools for writing a batch: readout, surgery, constraint, limit, number of the sample."""
        from lengthprobe.generation.transformers_engine import check_logits

        if not self._has_run:
            check_logits(self._held.checkpoint, question.prompts[0], self._settings)
            self._has_run = True
        return {
            "surgery": self._surgery(question.prompts, question.ablations),
            "constraint": self._constraint(question.prompts, question.words),
            "readout": self._components() if question.traces else None,
            "beyond": question.beyond,
            "sample": question.sample,
        }

    def _constraint(self, batch: Sequence[Prompt], words: str | None) -> Constraint | None:
        """The constraint on a batch, None without one."""
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
        """The ablation of a batch, None without any."""
        if not any(one.components for one in ablations):
            return None
        from lengthprobe.components.donors import surgery_on

        checkpoint, anatomy = self._held.checkpoint, self._components().anatomy
        return surgery_on(checkpoint, anatomy, batch, ablations, self._settings, means=self._means)

    def _components(self) -> Readout:
        """The readout of the loaded model.

        Raises:
            ModelError: The model's architecture is not known.
        """
        if self._readout is None:
            from lengthprobe.attribution.readout import readout_of
            from lengthprobe.components.anatomy import anatomy_of

            self._readout = readout_of(anatomy_of(self._held.checkpoint.model))
        return self._readout
