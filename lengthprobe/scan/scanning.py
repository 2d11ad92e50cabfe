"""Scanning: estimate every component, ablate likely components on more and more prompts, and a few others."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.answers import as_list, from_list
from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import ModelError
from lengthprobe.measures.answered import check_answered
from lengthprobe.scan.effects import Effect, Outcome, effect
from lengthprobe.scan.estimates import components_of, estimates
from lengthprobe.scan.forcing import margins_under
from lengthprobe.task.adherence import adherence
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.probe import Probe
    from lengthprobe.scan.partial_scan import PartialScan
    from lengthprobe.scan.plan import Plan
    from lengthprobe.task.prompts import Prompt, Response


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The results of a scan.

    Args:
        top: The effects of the strongest components, strongest first.
        every: The effect of every component ablated on all prompts, strongest first.
        sample: Components drawn at random from the components left out by the estimates.
        strong: Components of `sample` at least as strong as the weakest component found by the estimates.
        others: How many components the estimates left out.
        exact: The share of prompts that the whole model answers exactly.
    """

    top: tuple[Effect, ...]
    every: tuple[Effect, ...]
    sample: tuple[Component, ...]
    strong: tuple[Component, ...]
    others: int
    exact: float


class Scan:
    """A scan of a checkpoint.

    Args:
        probe: The checkpoint.
        plan: The plan of the scan.
        kept: The results of an earlier scan, to which this scan adds its own.
        progress: Called with the present work, how much is done, and how much there is in all.
    """

    def __init__(
        self, probe: Probe, plan: Plan, kept: PartialScan, progress: Callable[[str, int, int], None]
    ) -> None:
        self._probe, self._plan, self._kept, self._progress = probe, plan, kept, progress
        self._components = components_of(probe)
        self._prompts = plan.asked(probe.settings)
        self._screened = self._prompts[: plan.screened]

    def run(self) -> Found:
        """Scan the checkpoint, and return the results.

        Raises:
            LengthprobeError: The checkpoint cannot be run, or answers nothing exactly, or the results cannot
                be kept.
        """
        plan = self._plan
        self._ask_whole(self._screened, "finding")
        check_answered(self._probe, [self._response(prompt) for prompt in self._screened], plan.language)
        if not any(self._whole(prompt).exact(prompt) for prompt in self._screened):
            raise ModelError(
                f"{self._probe.name} answers none of {len(self._screened)} prompts in {plan.language!r} "
                "exactly, so that no ablation can make that worse",
                "name a checkpoint that keeps to the length asked for",
            )
        if plan.full:
            # For the table alone: a full scan leaves out no component that the estimates could miss.
            self._estimate()
            measured, sample, strong, left = list(self._components), list[Component](), list[Component](), 0
        else:
            measured = self._likely()
            sample, left = self._draw(measured)
        self._ask_whole(self._prompts, "measuring")
        self._ablate(measured, self._prompts, "measuring")
        if not plan.full:
            strong = self._strong(sample, measured)
        every = [self._effect(component, self._prompts) for component in [*measured, *strong]]
        every.sort(key=lambda ranked: ranked.strength, reverse=True)
        whole = [self._whole(prompt).exact(prompt) for prompt in self._prompts]
        return Found(
            tuple(every[: plan.top]),
            tuple(every),
            tuple(sample),
            tuple(strong),
            left,
            sum(whole) / len(whole),
        )

    def _strong(self, sample: Sequence[Component], measured: Sequence[Component]) -> list[Component]:
        """The random components as strong as the weakest measured component, now measured too."""
        weakest = min(
            (self._effect(component, self._prompts) for component in measured),
            key=lambda ranked: ranked.strength,
        )
        self._ablate(sample, self._screened, "sample")
        strong = [
            component
            for component in sample
            if (own_effect := self._effect(component, self._screened)).strength >= weakest.strength
            and own_effect.fall.mean > 0
        ]
        self._ablate(strong, self._prompts, "measuring")
        return strong

    @property
    def estimated(self) -> dict[str, dict[str, float | None]]:
        """The estimates of every component, with the fall foretold by forcing."""
        screened = self._kept.estimates[self._screened_key]
        return {
            name: {**numbers, "foretold": self._foretold_fall(name)} for name, numbers in screened.items()
        }

    def _likely(self) -> list[Component]:
        """The wanted number of components, chosen by estimates and rounds of ablation."""
        self._estimate()
        left, foretold, written = list(self._components), self._prompts[:0], self._prompts[:0]
        for rung in self._plan.forced_rungs(len(left)):
            left = self._best(left, foretold, written)[: rung.components]
            foretold = self._prompts[: rung.prompts]
            self._foretell(left, foretold)
        for rung in self._plan.written_rungs(len(self._components)):
            left = self._best(left, foretold, written)[: rung.components]
            written = self._prompts[: rung.prompts]
            self._ablate(left, written, "finding")
        return self._best(left, foretold, written)[: self._plan.top]

    def _best(
        self, components: Sequence[Component], foretold: Sequence[Prompt], written: Sequence[Prompt]
    ) -> list[Component]:
        """The components by how many answers their ablation leaves inexact, most first; ties by the gradient.

        No other known result counts, so that a resumed scan chooses the same components as a scan without a
        break.

        Args:
            components: The components to put in order.
            foretold: The prompts for which forcing foretold whether the answer stays exact.
            written: The prompts answered without the component: there the answer counts, and not the
                forecast.
        """
        kept, gradient = self._kept, self._kept.estimates[self._screened_key]

        def promise(component: Component) -> tuple[int, float]:
            exact = {prompt.id: kept.foretold[component.name][prompt.id] for prompt in foretold}
            exact |= {
                prompt.id: _outcome(kept.answers[component.name][prompt.id]).exact(prompt)
                for prompt in written
            }
            return sum(not stays for stays in exact.values()), gradient[component.name]["gradient"] or 0.0

        return sorted(components, key=promise, reverse=True)

    def _foretold_fall(self, name: str) -> float | None:
        foretold = self._kept.foretold.get(name, {})
        falls = [
            float(self._whole(prompt).exact(prompt)) - float(foretold[prompt.id])
            for prompt in self._screened
            if prompt.id in foretold
        ]
        return sum(falls) / len(falls) if falls else None

    def _draw(self, likely: Sequence[Component]) -> tuple[list[Component], int]:
        """A random sample of the components that are not likely, and the number of components not likely."""
        rest = [component for component in self._components if component not in likely]
        drawn = random.Random(self._plan.seed).sample(rest, min(self._plan.sample, len(rest)))
        return sorted(drawn, key=self._components.index), len(rest)

    @property
    def _screened_key(self) -> str:
        return " ".join(prompt.id for prompt in self._screened)

    def _estimate(self) -> None:
        if self._screened_key in self._kept.estimates:
            return
        self._progress("estimates", 0, 1)
        responses = [self._response(prompt) for prompt in self._screened]
        self._kept.estimates[self._screened_key] = estimates(
            self._probe, responses, self._plan.mode, spend=self._kept.spend
        )
        self._kept.save()
        self._progress("estimates", 1, 1)

    def _foretell(self, components: Sequence[Component], prompts: Sequence[Prompt]) -> None:
        """Keep whether, with each component ablated, the model ends its own responses at the right word."""
        kept = self._kept
        adherences = {prompt.id: self._adherence(prompt) for prompt in prompts}
        missing = self._missing(components, prompts, kept.foretold)

        def foretell(batch: Sequence[tuple[Component, Prompt]]) -> None:
            margins = margins_under(
                self._probe.checkpoint,
                [(self._response(prompt), self._cut(component)) for component, prompt in batch],
                self._probe.settings,
                means=lambda: self._probe.outputs().means,
            )
            for (component, prompt), steps in zip(batch, margins, strict=True):
                counts = (0, *adherences[prompt.id])
                stop = next((step for step, margin in enumerate(steps) if margin > 0), None)
                exact = stop is not None and counts[stop] == prompt.n_words
                kept.foretold.setdefault(component.name, {})[prompt.id] = exact
            kept.spend("forcing", len(batch))

        self._in_batches("forced", missing, foretell)

    def _ablate(self, components: Sequence[Component], prompts: Sequence[Prompt], purpose: str) -> None:
        """Ask the prompts with each of the components ablated, and keep the answers."""
        kept = self._kept

        def ablate(batch: Sequence[tuple[Component, Prompt]]) -> None:
            responses = self._probe.under([(prompt, self._cut(component)) for component, prompt in batch])
            for (component, prompt), response in zip(batch, responses, strict=True):
                kept.answers.setdefault(component.name, {})[prompt.id] = self._counted(response)
            kept.spend(purpose, sum(len(answer.token_ids) + 1 for answer in responses))

        self._in_batches("ablated", self._missing(components, prompts, kept.answers), ablate)

    def _missing(
        self,
        components: Sequence[Component],
        prompts: Sequence[Prompt],
        known: dict[str, Any],
    ) -> list[tuple[Component, Prompt]]:
        """Pairs of component and prompt without a result; by component: rows under an ablation are alike."""
        ordered = sorted(prompts, key=lambda prompt: (prompt.n_words, prompt.id))
        return [
            (component, prompt)
            for component in components
            for prompt in ordered
            if prompt.id not in known.get(component.name, {})
        ]

    def _in_batches(self, what: str, rows: Sequence[Any], run: Callable[[Sequence[Any]], None]) -> None:
        """Work through the rows, and keep the results after every batch."""
        size = self._probe.batch_size
        for first in range(0, len(rows), size):
            self._progress(what, first, len(rows))
            run(rows[first : first + size])
            self._kept.save()
        if rows:
            self._progress(what, len(rows), len(rows))

    def _ask_whole(self, prompts: Sequence[Prompt], purpose: str) -> None:
        kept = self._kept

        def ask(batch: Sequence[Prompt]) -> None:
            for response in self._probe.under([(prompt, Ablation()) for prompt in batch]):
                kept.responses[response.prompt.id] = as_list(response)
                kept.spend(purpose, len(response.token_ids) + 1)

        missing = [prompt for prompt in prompts if prompt.id not in kept.responses]
        self._in_batches("whole model", sorted(missing, key=lambda prompt: (prompt.n_words, prompt.id)), ask)

    def _cut(self, component: Component) -> Ablation:
        return Ablation().and_also([component], self._plan.mode)

    def _response(self, prompt: Prompt) -> Response:
        return from_list(prompt, self._kept.responses[prompt.id])

    def _whole(self, prompt: Prompt) -> Outcome:
        return _outcome(self._counted(self._response(prompt)))

    def _counted(self, response: Response) -> list[int]:
        settings, language = self._probe.settings, self._plan.language
        n_words = count_words(response.answer, language=language, counter=settings.counter)
        return [n_words, int(response.finish_reason == "stop"), len(response.token_ids) + 1]

    def _adherence(self, prompt: Prompt) -> tuple[int, ...]:
        """The words after each token of the whole model's response."""
        response = self._response(prompt)
        return adherence(
            response.token_ids,
            self._probe.checkpoint.decode,
            ended=False,
            language=self._plan.language,
            counter=self._probe.settings.counter,
            opened=response.opened,
        ).counts

    def _effect(self, component: Component, prompts: Sequence[Prompt]) -> Effect:
        answers = self._kept.answers[component.name]
        return effect(
            component.name,
            prompts,
            [self._whole(prompt) for prompt in prompts],
            [_outcome(answers[prompt.id]) for prompt in prompts],
            alpha=self._probe.settings.alpha,
        )


def _outcome(kept: Sequence[int]) -> Outcome:
    return Outcome(kept[0], bool(kept[1]))
