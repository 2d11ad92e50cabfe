"""Italian: the last layer's MLP writes answers of the length asked for, and ends them.

Each presupposes control in Italian: a model that keeps to no length is broken at once, and asked no more.
"""

import pytest

from lengthprobe.measures import (
    early_mlps_cwa,
    early_mlps_stop_cwa,
    final_mlp_cwa,
    final_mlp_number_swap,
    final_mlp_stop_cwa,
    share,
)

SOURCE = "arXiv:2509.02075"
ITALIAN = ("it",)


@pytest.mark.claim(source=SOURCE, about="mechanism", languages=ITALIAN)
def test_final_mlp_writes_to_length(probe, language, margins):
    """In Italian, the final MLP raises the tokens that keep to the length."""
    assert share(final_mlp_cwa(probe, language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ITALIAN)
def test_final_mlp_keeps_to_its_own_length(probe, language, margins):
    """In Italian, the final MLP keeps to the prompt's own length more than to another prompt's."""
    own = final_mlp_cwa(probe, language=language)
    shuffled = final_mlp_cwa(probe, language=language, signs="shuffled")
    assert share(own - shuffled) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ITALIAN)
def test_final_mlp_outdoes_early_ones(probe, language, margins):
    """In Italian, the final MLP raises the tokens that keep to the length more than the early MLPs do."""
    final = final_mlp_cwa(probe, language=language)
    early = early_mlps_cwa(probe, language=language)
    assert share(final - early) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ITALIAN)
def test_final_mlp_stops_because_of_the_number(probe, language, margins):
    """In Italian, the final MLP ends the answer because of the number in the prompt."""
    assert share(final_mlp_number_swap(probe, language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", kind="replication", about="mechanism", languages=ITALIAN)
def test_final_mlp_writes_the_stop(probe, language, margins):
    """In Italian, the final MLP ends the answer where that is due, more than an early layer's MLP does."""
    final = final_mlp_stop_cwa(probe, language=language)
    early = early_mlps_stop_cwa(probe, language=language)
    assert share(final - early) > margins.smallest_share
