"""Fall of a share: how much of a part's share a candidate has lost, against a reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lengthprobe.measures.by_part import LEAST_MEASURED
from lengthprobe.statistics.forms import together
from lengthprobe.statistics.sample import Observation, Sample
from lengthprobe.statistics.share import share

if TYPE_CHECKING:
    from lengthprobe.statistics.estimate import Estimate

LEAST_SHARE = 0.04  # ours: half of it is the smallest share that counts


def fall_of_share(candidate: Estimate, reference: Estimate) -> Estimate:
    """How far the candidate's share lies below the reference's, as a share of the latter (ours).

    Each is a share of its own model's whole, so that logits on another scale are no fall. A reference share
    below 4 % is taken for 4 %: what is too small to count cannot fall by half. Paired by prompt, over the
    prompts that both have, with each ratio linearised (the delta method):
    share + (x - share * whole) / mean(whole). The reference's share, to which the fall is related, is taken
    as given. A candidate that gives every prompt the reference's very value has lost nothing.

    Args:
        candidate: A measure of a part, with its whole.
        reference: The same measure of the reference.

    Returns:
        An Estimate over topics. It decides nothing where a whole is not surely above 0, or where fewer than
        80 % of the prompts of either are those of both.

    Raises:
        SettingsError: The two were asked in unlike forms.
    """
    forms = together(candidate.forms, reference.forms)
    ours, theirs = share(candidate), share(reference)
    common = candidate.samples[0].by_prompt.keys() & reference.samples[0].by_prompt.keys()
    every = candidate.samples[0].by_prompt.keys() | reference.samples[0].by_prompt.keys()
    flaw = (
        f"only {len(common)} of {len(every)} prompts can be compared"
        if len(common) < LEAST_MEASURED * len(every)
        else ""
    )
    caveat = ours.caveat or theirs.caveat or flaw
    terms = [_linearised(one, common) for one in (candidate, reference)]
    fall = _noted(terms[0].scaled(-1.0).plus(terms[1]), candidate, reference)
    same = terms[0].equals(terms[1]) and len({one.value for one in terms[0].observations}) > 1
    scale = 1.0 / max(abs(theirs.mean), LEAST_SHARE)
    return replace(
        candidate,
        name=f"fall_of_share({candidate.name}, {reference.name})",
        unit="share",
        samples=(replace(fall.scaled(scale), flaw=caveat, same=same),),
        family=max(candidate.family, reference.family),
        worst="high",
        whole=None,
        background=candidate.background + reference.background,
        effect="fall",
        forms=forms,
    )


def _linearised(estimate: Estimate, common: set[str]) -> Sample:
    """The share prompt by prompt, whose mean over all prompts is the share itself."""
    assert estimate.whole is not None
    (sample,), whole = estimate.samples, estimate.whole
    ratio = sample.mean / whole.mean if whole.mean else 0.0
    return Sample(
        tuple(
            Observation(
                one.prompt_id,
                one.topic,
                ratio + (one.value - ratio * whole.by_prompt[one.prompt_id].value) / (whole.mean or 1.0),
                one.note,
            )
            for one in sample.observations
            if one.prompt_id in common
        ),
        None,
    )


def _noted(fall: Sample, candidate: Estimate, reference: Estimate) -> Sample:
    """The sample, with what each side's part gave of its whole in the note of each prompt."""

    def part(estimate: Estimate, prompt_id: str) -> str:
        assert estimate.whole is not None
        value, whole = estimate.samples[0].by_prompt[prompt_id], estimate.whole.by_prompt[prompt_id]
        return f"{value.value:.3g} of {whole.value:.3g}"

    noted = []
    for one in fall.observations:
        pair = " against ".join(part(each, one.prompt_id) for each in (candidate, reference))
        noted.append(replace(one, note=f"{pair} {candidate.unit}; {one.note}".rstrip("; ")))
    return replace(fall, observations=tuple(noted))
