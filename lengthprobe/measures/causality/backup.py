"""Backup: components that take over where others are cut, so that no single component is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lengthprobe.components.names import Ablation, Component
from lengthprobe.measures.attribution.cwa import cwa
from lengthprobe.measures.causality.exact_answers import exact_under
from lengthprobe.measures.causality.leading import (
    Ablatable,
    cwa_above_control,
    leading_components,
    others_of_kind,
)
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.sample import usable_sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from lengthprobe.statistics.estimate import Estimate


class Cuttable(Ablatable, Protocol):
    """A probe, as these measures need one."""

    def ablated(
        self, components: Sequence[Component], mode: str = "zero"
    ) -> AbstractContextManager[Ablatable]:
        """A probe of the same checkpoint without some components, within a block."""


def compensation(probe: Cuttable, *, language: str) -> Estimate:
    """The rise of the final MLP's CWA where the heads that lead by CWA are cut (METHODS §4), in logits.

    Both CWA values are taken on the whole model's responses, which are forced on the cut model, and paired by
    prompt. The cut model's own texts run on, and on these texts the signs of CWA alone would decide.

    Args:
        probe: The checkpoint.
        language: Code of the language.

    Raises:
        LengthprobeError: The components are not known.
    """
    if unmet := unmet_control(probe, language):
        return without_values(probe, "compensation", language, unmet, unit="logits", bounds=None)
    with probe.ablated(leading_components(probe, language=language, kind="heads")) as cut:
        without = cwa(cut, component="final MLP", language=language, text_of=probe)
        return without - cwa(probe, component="final MLP", language=language)


def backup_components(probe: Cuttable, *, language: str, kind: str = "heads") -> tuple[Component, ...]:
    """The components whose CWA rises most where the leading components are cut, largest rise first (ours).

    There are as many backup components as leading components. CWA is taken above its control, as in
    `leading_components`, on the prompts about discovery topics; both times on the whole model's responses.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.
    """
    leading = leading_components(probe, language=language, kind=kind)
    with probe.ablated(leading) as cut:
        without = cwa_above_control(cut, language, kind, text_of=probe)
        rise = without - cwa_above_control(probe, language, kind)

    def risen(component: Component) -> float:
        return -float(
            rise[component.layer] if component.head is None else rise[component.layer, component.head]
        )

    return tuple(sorted(others_of_kind(probe, leading), key=risen)[: len(leading)])


def redundancy(probe: Ablatable, *, language: str, kind: str = "heads", k: int | None = None) -> Estimate:
    """The cost of cutting the leading components together, less the sum of their costs alone (ours).

    Cost is the share of the whole model's exact answers that are lost. Above 0: together the components cost
    more than added up, since some stand in for others. Below 0: their costs overlap, or nothing more is left
    to lose.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.
        k: How many components; as in `leading_components`.

    Returns:
        An Estimate over topics, of the prompts that the whole model answers exactly.

    Raises:
        LengthprobeError: As `leading_components`.
    """
    if unmet := unmet_control(probe, language):
        return without_values(probe, "redundancy", language, unmet)
    leading = leading_components(probe, language=language, kind=kind, k=k)
    return _beyond_alone(probe, language, "redundancy", [(component,) for component in leading])


def backup_effect(probe: Cuttable, *, language: str, kind: str = "heads") -> Estimate:
    """The cost of cutting leading components and backups together, less the sum of both costs alone (ours).

    The measure is `redundancy` of two groups: the leading components and the `backup_components`.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.

    Returns:
        An Estimate over topics, of the prompts that the whole model answers exactly.
    """
    if unmet := unmet_control(probe, language):
        return without_values(probe, "backup_effect", language, unmet)
    groups = [
        choose(probe, language=language, kind=kind) for choose in (leading_components, backup_components)
    ]
    return _beyond_alone(probe, language, "backup_effect", groups)


def _beyond_alone(
    probe: Ablatable, language: str, name: str, groups: Sequence[Sequence[Component]]
) -> Estimate:
    """The cost of cutting some groups together, less the sum of their costs alone, prompt by prompt."""

    def exact(components: Sequence[Component]) -> Estimate:
        return exact_under(probe, language, name, [Ablation().and_also(components, "zero")])

    together = exact([component for group in groups for component in group])
    return _beyond(exact(()), together, [exact(group) for group in groups])


def _beyond(whole: Estimate, together: Estimate, alone: Sequence[Estimate]) -> Estimate:
    of_whole, *of_each = (estimate.samples[0].by_prompt for estimate in (whole, *alone))
    observations = [
        replace(
            observation,
            value=(1 - observation.value)
            - sum(1 - by_prompt[observation.prompt_id].value for by_prompt in of_each),
        )
        for observation in together.observations
        if of_whole[observation.prompt_id].value == 1
    ]
    rival = None
    if whole.rival is not None:
        rival = _beyond(whole.recounted, together.recounted, [estimate.recounted for estimate in alone])
    sample = usable_sample(tuple(observations), (-float(len(alone)), 1.0), whole.name)
    return replace(together, samples=(sample,), rival=rival, background=())
