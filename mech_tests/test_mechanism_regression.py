"""Each part as a regression: the candidate against the `--reference`, paired by prompt.

Each presupposes control of the candidate, which is broken without; a reference without any decides nothing.
"""

import pytest

from lengthprobe.measures import (
    fall_of_share,
    final_mlp_cwa,
    final_mlp_number_swap,
    late_heads_cwa,
    late_heads_number_swap,
)


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_late_heads_have_not_weakened(probe, reference_probe, language, margins):
    """In English, the late heads' share has not fallen by half against the reference."""
    candidate = late_heads_cwa(probe, language=language)
    reference = late_heads_cwa(reference_probe, language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_late_heads_still_stop_because_of_the_number(probe, reference_probe, language, margins):
    """In English, the late heads' share in the stop that is due to the number has not fallen by half."""
    candidate = late_heads_number_swap(probe, language=language)
    reference = late_heads_number_swap(reference_probe, language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_final_mlp_has_not_weakened(probe, reference_probe, language, margins):
    """In Italian, the final MLP's share has not fallen by half against the reference."""
    candidate = final_mlp_cwa(probe, language=language)
    reference = final_mlp_cwa(reference_probe, language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_final_mlp_still_stops_because_of_the_number(probe, reference_probe, language, margins):
    """In Italian, the final MLP's share in the stop that is due to the number has not fallen by half."""
    candidate = final_mlp_number_swap(probe, language=language)
    reference = final_mlp_number_swap(reference_probe, language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall
