"""Each component as a regression: the candidate against the `--reference`, paired by prompt.

Each presupposes control of the candidate, which is broken without; a reference without any decides nothing.
"""

import pytest

from lengthprobe.measures import cwa, fall_of_share, number_swap


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_late_heads_have_not_weakened(probe, reference_probe, language, margins):
    """In English, the late heads' share has not fallen by half against the reference."""
    candidate = cwa(probe, component="late heads", language=language)
    reference = cwa(reference_probe, component="late heads", language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_late_heads_still_keep_to_their_own_length(probe, reference_probe, language, margins):
    """In English, the late heads' share that is due to the prompt's own length has not fallen by half."""
    candidate = cwa(probe, component="late heads", language=language) - cwa(
        probe, component="late heads", language=language, signs="shuffled"
    )
    reference = cwa(reference_probe, component="late heads", language=language) - cwa(
        reference_probe, component="late heads", language=language, signs="shuffled"
    )
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_late_heads_still_outdo_early_ones(probe, reference_probe, language, margins):
    """In English, the late heads' share beyond that of the early heads has not fallen by half."""
    candidate = cwa(probe, component="late heads", language=language) - cwa(
        probe, component="early heads", language=language
    )
    reference = cwa(reference_probe, component="late heads", language=language) - cwa(
        reference_probe, component="early heads", language=language
    )
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_heads_still_rise_into_the_late_layers(probe, reference_probe, language, margins):
    """In English, the rise of the heads' share into the late layers has not fallen by half."""
    candidate = cwa(probe, component="rise of heads", language=language) - cwa(
        probe, component="rise of heads", language=language, signs="shuffled"
    )
    reference = cwa(reference_probe, component="rise of heads", language=language) - cwa(
        reference_probe, component="rise of heads", language=language, signs="shuffled"
    )
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_late_heads_still_stop_because_of_the_number(probe, reference_probe, language, margins):
    """In English, the late heads' share in the stop that is due to the number has not fallen by half."""
    candidate = number_swap(probe, component="late heads", language=language)
    reference = number_swap(reference_probe, component="late heads", language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_final_mlp_has_not_weakened(probe, reference_probe, language, margins):
    """In Italian, the final MLP's share has not fallen by half against the reference."""
    candidate = cwa(probe, component="final MLP", language=language)
    reference = cwa(reference_probe, component="final MLP", language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_final_mlp_still_keeps_to_its_own_length(probe, reference_probe, language, margins):
    """In Italian, the final MLP's share that is due to the prompt's own length has not fallen by half."""
    candidate = cwa(probe, component="final MLP", language=language) - cwa(
        probe, component="final MLP", language=language, signs="shuffled"
    )
    reference = cwa(reference_probe, component="final MLP", language=language) - cwa(
        reference_probe, component="final MLP", language=language, signs="shuffled"
    )
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_final_mlp_still_outdoes_early_ones(probe, reference_probe, language, margins):
    """In Italian, the final MLP's share beyond that of the early MLPs has not fallen by half."""
    candidate = cwa(probe, component="final MLP", language=language) - cwa(
        probe, component="early MLPs", language=language
    )
    reference = cwa(reference_probe, component="final MLP", language=language) - cwa(
        reference_probe, component="early MLPs", language=language
    )
    assert fall_of_share(candidate, reference) < margins.attribution_fall


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_final_mlp_still_stops_because_of_the_number(probe, reference_probe, language, margins):
    """In Italian, the final MLP's share in the stop that is due to the number has not fallen by half."""
    candidate = number_swap(probe, component="final MLP", language=language)
    reference = number_swap(reference_probe, component="final MLP", language=language)
    assert fall_of_share(candidate, reference) < margins.attribution_fall
