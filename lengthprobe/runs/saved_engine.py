"""Saved engine: answers questions from a saved run, prompt by prompt, and loads no checkpoint."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.answers import Answers, Proof
from lengthprobe.asking.questions import Describe, Force, Prove, Write
from lengthprobe.checkpoints.catalog import Source
from lengthprobe.errors import NotSavedError, SettingsError
from lengthprobe.runs.packing import forced_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lengthprobe.asking.answers import Traced
    from lengthprobe.asking.questions import Question
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.errors import LengthprobeError
    from lengthprobe.runs.identity import Identity
    from lengthprobe.runs.packing import Attributions
    from lengthprobe.runs.saved import SavedRun
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response

# Any number would do: nothing is written.
_BATCH_SIZE = 1_000_000


class SavedEngine:
    """The answers of a saved run (`asking.engine.KeptEngine`).

    Args:
        run: The run.
        settings: The settings under which questions are asked now.
        display_name: The run's name in expressions and reports.
        role: The role of the checkpoint in the saved session.
    """

    batch_size = _BATCH_SIZE

    def __init__(
        self, run: SavedRun, settings: Settings, *, display_name: str | None = None, role: str = "model"
    ) -> None:
        self._run, self._settings, self._role = run, settings, role
        self._shown = display_name or run.name
        # By the id of the prompt and the number of the sample.
        self._responses: dict[str, dict[tuple[str, int | None], Response]] = {}
        self._attributions: dict[str, Attributions] = {}

    @property
    def can(self) -> frozenset[str]:
        """Text, and components where the run has attributions."""
        return frozenset({"text"} | ({"components"} if self._run.traced_languages(self._role) else set()))

    @property
    def source(self) -> Source:
        """The folder of the run, under the name as typed."""
        return Source(self._run.name, "run", path=self._run.path)

    @cached_property
    def identity(self) -> Identity:
        """The identity of the checkpoint that gave the answers, with the name of the run."""
        return replace(self._run.identity(self._role), run=f"{self._run.name}, saved {self._run.date}")

    @property
    def absent(self) -> LengthprobeError:
        """The error for code that wants the checkpoint itself."""
        return SettingsError(
            f"{self._run.name} is a saved run: it has answers, and no checkpoint to load",
            f"name the checkpoint: {self.identity.name}",
        )

    def answer(self, questions: Sequence[Question[Any]]) -> Iterator[Any]:
        """The answer to each question, in order.

        Raises:
            NotSavedError: The run lacks an answer; the message names the run and the answer.
            SettingsError: The run is damaged.
        """
        for question in questions:
            match question:
                case Write():
                    yield self._written(question)
                case Force():
                    yield [self._forced(question, place) for place in range(len(question.texts))]
                case Prove():
                    yield self._proof
                case Describe():
                    yield replace(self._run.form(self._role), model=self._shown)
                case _:
                    raise self._lacks(f"answers of the kind {type(question).__name__}")

    def _written(self, question: Write) -> Answers:
        """The responses to some prompts, with attributions where the run has attributions."""
        if question.words is not None or any(ablation.components for ablation in question.ablations):
            raise self._lacks("responses with components ablated or words forbidden")
        responses = tuple(self._response(prompt, question.sample) for prompt in question.prompts)
        if not question.traces:
            return Answers(responses, pieces=1)
        problem = self._problem({prompt.language for prompt in question.prompts})
        if problem is not None:
            return Answers(responses, pieces=1, problem=problem)
        traced = [self._traced(prompt) for prompt in question.prompts]
        return Answers(
            responses,
            1,
            tuple(each.trace for each in traced if each.trace),
            tuple(each.adherence for each in traced if each.adherence),
            self._proof.gap,
        )

    def _response(self, prompt: Prompt, sample: int | None) -> Response:
        language = prompt.language
        if language not in self._responses:
            if language not in self._run.languages(self._role):
                raise self._lacks(f"answers in {language}")
            every = self._run.responses(language, self._role)
            self._responses[language] = {
                (response.prompt.id, response.sample): response for response in every
            }
        response = self._responses[language].get((prompt.id, sample))
        if response is None and any(prompt.id == held for held, _ in self._responses[language]):
            kind = "greedy answers" if sample is None else f"sample {sample} of each prompt"
            raise self._lacks(f"{kind} in {language}")
        if response is None:
            raise self._lacks_prompt(prompt)
        return replace(response, prompt=prompt)

    def _traced(self, prompt: Prompt) -> Traced:
        traced = self._attributed(prompt.language).traced.get(prompt.id)
        if traced is None:
            raise self._lacks(f"the attribution of the answer to {prompt.text!r}")
        return traced

    def _forced(self, question: Force, place: int) -> ForcedTrace:
        text = question.texts[place]
        if question.ablation.components:
            raise self._lacks("attributions with components ablated")
        if problem := self._problem({text.prompt.language}):
            raise problem
        found = self._attributed(text.prompt.language).forced.get(forced_key(text, question.target))
        if found is None:
            raise self._lacks(
                f"the attribution of a given text ({question.target}) after {text.prompt.text!r}"
            )
        return found

    def _attributed(self, language: str) -> Attributions:
        if language not in self._attributions:
            self._attributions[language] = self._run.attributions(language, self._role)
        return self._attributions[language]

    @cached_property
    def _proof(self) -> Proof:
        """The components of the checkpoint, with the reason where no claim can be made about them."""
        proof = self._run.proof(self._role) or Proof()
        problem = proof.problem or self._problem({*self._run.languages(self._role)}, every=True)
        return replace(proof, problem=problem)

    def _problem(self, languages: set[str], *, every: bool = False) -> LengthprobeError | None:
        """The reason why there are no attributions in any of some languages, or in every; None with some."""
        name = self._run.name
        lacking = sorted(languages - {*self._run.traced_languages(self._role)})
        if lacking and (len(lacking) == len(languages) or not every):
            return NotSavedError(
                f"the saved run {name} holds no attributions in {' or '.join(lacking)}",
                f"save it again with mech_tests among the tests: --lengthprobe-save={name} "
                "--lengthprobe-replace",
            )
        counter = self._run.identity(self._role).counter
        if counter != self._settings.counter:
            return NotSavedError(
                f"the attributions in the saved run {name} were made with the word counter {counter}, and "
                f"{self._settings.counter} is asked for; answers can be counted again, attributions cannot",
                f"setting:counter={counter}",
            )
        return None

    def _lacks_prompt(self, prompt: Prompt) -> NotSavedError:
        """The error for a prompt that was not asked: beyond the run's number, or of another stream."""
        name, language, settings = self._run.name, prompt.language, self._settings
        held = self._run.languages(self._role)[language]
        if settings.budget > held:
            return NotSavedError(
                f"the saved run {name} holds {held} prompts in {language}, and {settings.budget} are asked "
                "for",
                f"setting:budget={held}, or save it again with more",
            )
        return self._lacks(
            f"the answer to {prompt.text!r} (its prompts have other wordings, lengths or seed)"
        )

    def _lacks(self, what: str) -> NotSavedError:
        name = self._run.name
        return NotSavedError(
            f"the saved run {name} does not hold {what}",
            f"ask the checkpoint itself ({self.identity.name}), or save the run again",
        )
