"""Italian: the last layer's MLP writes answers of the length asked for, and ends them.

Each presupposes control in Italian: a model that keeps to no length is broken at once, and asked no more.
"""

import pytest

from lengthprobe.measures import cwa, number_swap, share, stop_cwa

SOURCE = "arXiv:2509.02075"
ITALIAN = ("it",)


@pytest.mark.claim(source=SOURCE, about="mechanism", languages=ITALIAN)
def test_final_mlp_writes_to_length(probe, language, margins):
    """In Italian, the final MLP raises the tokens that keep to the length."""
    assert share(cwa(probe, component="final MLP", language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ITALIAN)
def test_final_mlp_keeps_to_its_own_length(probe, language, margins):
    """In Italian, the final MLP keeps to the prompt's own length more than to another prompt's."""
    own = cwa(probe, component="final MLP", language=language)
    shuffled = cwa(probe, component="final MLP", language=language, signs="shuffled")
    assert share(own - shuffled) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ITALIAN)
def test_final_mlp_outdoes_early_ones(probe, language, margins):
    """In Italian, the final MLP raises the tokens that keep to the length more than the early MLPs do."""
    final = cwa(probe, component="final MLP", language=language)
    early = cwa(probe, component="early MLPs", language=language)
    assert share(final - early) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ITALIAN)
def test_final_mlp_stops_because_of_the_number(probe, language, margins):
    """In Italian, the final MLP ends the answer because of the number in the prompt."""
    assert share(number_swap(probe, component="final MLP", language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", kind="replication", about="mechanism", languages=ITALIAN)
def test_final_mlp_writes_the_stop(probe, language, margins):
    """In Italian, the final MLP ends the answer where that is due, more than an early layer's MLP does."""
    final = stop_cwa(probe, component="final MLP", language=language)
    early = stop_cwa(probe, component="early MLPs", language=language)
    assert share(final - early) > margins.smallest_share
