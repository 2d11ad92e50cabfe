"""Fall of a share: the part of a component's share that a candidate has lost against a reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lengthprobe.measures.attribution.by_component import LEAST_MEASURED
from lengthprobe.statistics.comparison import check_mixable
from lengthprobe.statistics.digits import in_three_digits, interval_name
from lengthprobe.statistics.estimate import Estimate
from lengthprobe.statistics.explanation import quantity
from lengthprobe.statistics.forms import merge_forms
from lengthprobe.statistics.measure_key import all_keys
from lengthprobe.statistics.sample import Observation, Sample
from lengthprobe.statistics.share import Share, share
from lengthprobe.statistics.unmet import first_unmet

if TYPE_CHECKING:
    from collections.abc import Set

LEAST_SHARE = 0.04  # ours: twice the smallest share that counts


def fall_of_share(candidate: Estimate, reference: Estimate) -> Share:
    """The fall of the candidate's share below the reference's, as a part of the reference's share (ours).

    Each share is taken of its own model's whole, so that logits on another scale are no fall. So
    `fall_of_share(candidate, reference) < m` claims candidate - (1 - m) · reference > 0, for the two shares.
    The shares are paired by prompt, over the prompts of both, and the reference's share varies too. Each
    share is linearised (the delta method): share + (x - share · whole) / mean(whole). A reference share below
    4 % is raised to 4 %: a share too small to count cannot fall by half. A candidate with exactly the
    reference's value on every prompt has lost nothing.

    Args:
        candidate: A measure of a component, with its whole.
        reference: The same measure of the reference.

    Returns:
        A Share over topics. Nothing is decided where a whole, or the reference's share, is not surely above
        0, or where fewer than 80 % of all prompts are prompts of both.

        An unmet precondition of the candidate or of the reference decides, the candidate's first.

    Raises:
        SettingsError: The two were asked in unlike forms.
        ValueError: The two have unlike units or alphas.
    """
    forms = merge_forms(candidate.forms, reference.forms)
    name = f"fall_of_share({candidate.name}, {reference.name})"
    check_mixable(name, candidate, reference)
    keys = all_keys(candidate.measures, reference.measures)
    lacking = None if reference.unmet is None else reference.unmet.of_reference()
    if unmet := first_unmet(candidate.unmet, lacking):
        # The other side may have values, which alone are no fall.
        nothing = Sample((), None)
        none = replace(
            candidate,
            name=name,
            samples=(nothing,),
            whole=nothing,
            rival=None,
            unmet=unmet,
            measures=keys,
        )
        return Share(name, none, effect="fall")
    fall = replace(_fall(candidate, reference, name), forms=forms, measures=keys)
    return Share(name, fall, effect="fall", noted=_noted(fall.samples[0], candidate, reference))


def _fall(candidate: Estimate, reference: Estimate, name: str) -> Estimate:
    """The reference's share less the candidate's, prompt by prompt; the reference's share is the whole."""
    ours, theirs = share(candidate), share(reference)
    common = candidate.samples[0].by_prompt.keys() & reference.samples[0].by_prompt.keys()
    flaw = _flaw(ours, theirs, common)
    now, before = (_linearised(estimate, common) for estimate in (candidate, reference))
    lacking = max(0.0, LEAST_SHARE - before.mean) if common else 0.0
    rival = None
    if candidate.rival is not None or reference.rival is not None:
        rival = _fall(candidate.recounted, reference.recounted, name)
    return Estimate(
        name=name,
        unit="share",
        samples=(replace(now.scaled(-1.0).plus(before), flaw=flaw),),
        alpha=candidate.alpha,
        alpha_shares=max(candidate.alpha_shares, reference.alpha_shares),
        rival=rival,
        worst="high",
        counter=candidate.counter,
        whole=replace(before.shifted(lacking), flaw=flaw),
        background=candidate.background + reference.background,
        topics=min(filter(None, (candidate.topics, reference.topics)), default=None),
    )


def _flaw(ours: Share, theirs: Share, common: Set[str]) -> str:
    """The reason why nothing can be decided; empty where the shares can be compared."""
    every = ours.estimate.samples[0].by_prompt.keys() | theirs.estimate.samples[0].by_prompt.keys()
    if len(common) < LEAST_MEASURED * len(every):
        return f"only {len(common)} of {len(every)} prompts can be compared"
    if caveat := ours.caveat or theirs.caveat:
        return caveat
    if theirs.low > 0:
        return ""
    mean, low, high = (quantity(round(value, 4), "share") for value in (theirs.mean, theirs.low, theirs.high))
    interval = interval_name(theirs.alpha)
    measured = f"{mean}, {interval} {low} to {high}"
    return f"the reference's own share is not surely above 0 ({measured}): nothing can fall"


def _linearised(estimate: Estimate, common: Set[str]) -> Sample:
    """Linearised values of a share, prompt by prompt, whose mean over all prompts is the share itself."""
    assert estimate.whole is not None
    (sample,), whole = estimate.samples, estimate.whole
    ratio = sample.mean / whole.mean if whole.mean else 0.0
    return Sample(
        tuple(
            Observation(
                observation.prompt_id,
                observation.topic,
                ratio
                + (observation.value - ratio * whole.by_prompt[observation.prompt_id].value)
                / (whole.mean or 1.0),
                observation.note,
            )
            for observation in sample.observations
            if observation.prompt_id in common
        ),
        None,
    )


def _noted(fall: Sample, candidate: Estimate, reference: Estimate) -> Sample:
    """The sample with notes: on each prompt, each side's contribution and its whole."""

    def part(estimate: Estimate, prompt_id: str) -> str:
        assert estimate.whole is not None
        value, whole = estimate.samples[0].by_prompt[prompt_id], estimate.whole.by_prompt[prompt_id]
        return f"{in_three_digits(value.value)} of {in_three_digits(whole.value)}"

    noted = []
    for observation in fall.observations:
        pair = " against ".join(part(estimate, observation.prompt_id) for estimate in (candidate, reference))
        noted.append(replace(observation, note=f"{pair} {candidate.unit}; {observation.note}".rstrip("; ")))
    return replace(fall, observations=tuple(noted))
