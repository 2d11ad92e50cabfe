"""English: the late layers' attention heads write answers of the length asked for, and end them.

Each presupposes control in English: a model that keeps to no length is broken at once, and asked no more.
"""

import pytest

from lengthprobe.measures import cwa, number_swap, share, stop_cwa

SOURCE = "arXiv:2509.02075"
ENGLISH = ("en",)


@pytest.mark.claim(source=SOURCE, about="mechanism", languages=ENGLISH)
def test_late_heads_write_to_length(probe, language, margins):
    """In English, the late layers' heads raise the tokens that keep to the length."""
    assert share(cwa(probe, component="late heads", language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ENGLISH)
def test_late_heads_keep_to_their_own_length(probe, language, margins):
    """In English, the late heads keep to the prompt's own length more than to another prompt's."""
    own = cwa(probe, component="late heads", language=language)
    shuffled = cwa(probe, component="late heads", language=language, signs="shuffled")
    assert share(own - shuffled) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ENGLISH)
def test_late_heads_outdo_early_ones(probe, language, margins):
    """In English, the late heads raise the tokens that keep to the length more than the early heads do."""
    late = cwa(probe, component="late heads", language=language)
    early = cwa(probe, component="early heads", language=language)
    assert share(late - early) > margins.smallest_share


@pytest.mark.claim(source=SOURCE, about="mechanism", languages=ENGLISH)
def test_heads_rise_into_the_late_layers(probe, language, margins):
    """In English, the heads' CWA rises into the late layers, more than under another prompt's length."""
    own = cwa(probe, component="rise of heads", language=language)
    shuffled = cwa(probe, component="rise of heads", language=language, signs="shuffled")
    assert share(own - shuffled) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ENGLISH)
def test_late_heads_stop_because_of_the_number(probe, language, margins):
    """In English, the late layers' heads end the answer because of the number in the prompt."""
    assert share(number_swap(probe, component="late heads", language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", kind="replication", about="mechanism", languages=ENGLISH)
def test_late_heads_write_the_stop(probe, language, margins):
    """In English, the late layers' heads end the answer where that is due, more than the early layers' do."""
    late = stop_cwa(probe, component="late heads", language=language)
    early = stop_cwa(probe, component="early heads", language=language)
    assert share(late - early) > margins.smallest_share
