"""The fall of a share against a reference: plain numbers, scales, identical checkpoints, missing prompts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lengthprobe.measures import fall_of_share
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.explanation import worst
from lengthprobe.statistics.sample import Sample

PROMPTS = 40


def measure(share, *, whole=10.0, prompts=range(PROMPTS), scale=1.0, period=3):
    """A component of so large a share of a whole that varies, with noise of its own."""

    def observed(values):
        return [
            Observation(f"p{at}", f"t{at // 2}", value) for at, value in zip(prompts, values, strict=True)
        ]

    wholes = [scale * (whole + at % 5) for at in prompts]
    parts = [
        share * total + scale * 0.01 * (at % period - 1) for at, total in zip(prompts, wholes, strict=True)
    ]
    return Estimate.from_observations(
        observed(parts), name="part", unit="logits", bounds=None, whole=Sample(tuple(observed(wholes)), None)
    )


def test_half_of_a_share_that_is_lost_is_a_fall_by_half():
    """0.3 against 0.15: the fall is 0.15, which is half of 0.3."""
    assert fall_of_share(measure(0.15), measure(0.3)).mean == pytest.approx(0.5, abs=0.01)


def test_a_component_that_was_cut_has_fallen_by_all_of_it():
    """Exactly 0 on every prompt is broken, and not undecided."""
    cut = measure(0.0, scale=1.0)
    cut = Estimate.from_observations(
        [Observation(one.prompt_id, one.topic, 0.0) for one in cut.observations],
        name="part",
        unit="logits",
        bounds=None,
        whole=cut.whole,
    )
    assert (fall_of_share(cut, measure(0.3)) < 0.5).status == "broken"


@pytest.mark.parametrize("share", [0.3, 0.001])
def test_a_checkpoint_has_lost_nothing_against_itself(share):
    """Whatever the size of the component."""
    assert (fall_of_share(measure(share), measure(share)) < 0.5).status == "holds"


def test_logits_on_another_scale_are_no_fall():
    """A model whose logits are all smaller gives the same shares."""
    fall = fall_of_share(measure(0.3, scale=0.375, period=7), measure(0.3))
    assert fall.mean == pytest.approx(0.0, abs=0.02)
    assert (fall < 0.5).status == "holds"


def test_larger_logits_hide_no_fall():
    """Twice the logits, and a third of the share."""
    assert (fall_of_share(measure(0.1, scale=2.0, period=7), measure(0.3)) < 0.5).status == "broken"


@pytest.mark.parametrize("share", [0.3, 0.0, -0.3, -0.6])
def test_of_a_negative_share_nothing_can_fall(share):
    """Whatever the candidate's share is, the reference's own included: nothing is decided, and told why."""
    verdict = fall_of_share(measure(share, period=7), measure(-0.3)) < 0.5
    assert verdict.status == "undecided"
    assert verdict.reason.startswith("the reference's own share is not surely above 0 (-30")
    assert verdict.reason.endswith("): nothing can fall")


def test_a_reference_share_that_may_be_0_decides_nothing():
    """Noise around 0 has no share that could fall."""
    reference = measure(0.0, period=3)
    assert not any(one.value > 0.01 for one in reference.observations)
    verdict = fall_of_share(measure(0.3), reference) < 0.5
    assert verdict.status == "undecided"
    assert "nothing can fall" in verdict.reason


@pytest.mark.parametrize(("share", "status"), [(0.015, "holds"), (0.005, "holds"), (-0.01, "broken")])
def test_what_is_too_small_to_count_falls_by_half_of_the_smallest_that_counts(share, status):
    """Of a reference share of 1.5 % half of 4 % can be lost, down to -0.5 %, and no more."""
    assert (fall_of_share(measure(share, period=7), measure(0.015)) < 0.5).status == status


@pytest.mark.parametrize("following", [0.975, 0.0], ids=["tracks", "does not"])
def test_errs_as_promised_where_the_fall_is_at_the_margin(following):
    """100 draws of a true fall of a half: 5 % hold, and none is broken; the reference's share varies too.

    With the reference's share taken as given 1 in 4 held where the candidate tracks it.
    """
    rng, statuses = np.random.default_rng(3), []

    def observed(values):
        return tuple(Observation(f"p{at}", f"t{at}", float(value)) for at, value in enumerate(values))

    def of_whole(parts, wholes):
        return Estimate.from_observations(
            observed(parts),
            name="part",
            unit="logits",
            bounds=None,
            alpha_shares=84,
            whole=Sample(observed(wholes), None),
        )

    for _ in range(100):
        reference = 0.1 + 0.2 * rng.normal(size=150)
        candidate = 0.05 + following * (reference - 0.1) + 0.04 * rng.normal(size=150)
        wholes = 1 + 0.2 * rng.normal(size=(2, 150))
        pair = (of_whole(*each) for each in zip((candidate, reference), wholes, strict=True))
        statuses.append((fall_of_share(*pair) < 0.5).status)
    assert statuses.count("holds") <= 11
    assert statuses.count("broken") == 0


def test_it_is_paired_over_the_prompts_of_both():
    """A response that one of them lacks does not part the pairs."""
    fall = fall_of_share(measure(0.3, prompts=range(1, PROMPTS)), measure(0.3))
    assert (fall.n, len(fall.samples)) == (PROMPTS - 1, 1)


def test_too_few_prompts_in_common_decide_nothing():
    """A tenth of the prompts would be a choice among them."""
    verdict = fall_of_share(measure(0.3, prompts=range(4)), measure(0.3)) < 0.5
    assert verdict.status == "undecided"
    assert "only 4 of 40 prompts can be compared" in verdict.reason


def test_a_whole_that_is_nothing_decides_nothing():
    """A share of what may be 0 is no share."""
    nothing = measure(0.3, whole=-2.0)
    assert (fall_of_share(nothing, measure(0.3)) < 0.5).status == "undecided"


def test_its_mean_is_called_a_fall():
    """A reader is told what it is."""
    fall = fall_of_share(measure(0.03), measure(0.3))
    text = str(fall < 0.5)
    assert text.splitlines()[1].startswith("  fall 90")


def test_worst_prompts_have_what_each_side_gave():
    """The component and its whole, of the candidate against the reference, with what both wrote."""
    noted = [replace(one, note=f"wrote {one.prompt_id}") for one in measure(0.3).observations]
    reference = measure(0.3)
    (sample,) = reference.samples
    reference = replace(reference, samples=(replace(sample, observations=tuple(noted)),))
    fall = fall_of_share(measure(0.15), reference)
    # Prompt 0: wholes of 10, parts of 0.15 and 0.3 of that, less 0.01.
    assert fall.samples[0].observations[0].note == "1.49 of 10 against 2.99 of 10 logits; against: wrote p0"
    assert (fall < 0.2).as_check().worst[0].endswith(f"against: wrote {worst(fall)[0].prompt_id}")
