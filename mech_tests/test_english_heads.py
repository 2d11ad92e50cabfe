"""English: the late layers' attention heads write answers of the length asked for, and end them.

Each presupposes control in English: a model that keeps to no length is broken at once, and asked no more.
"""

import pytest

from lengthprobe.measures import (
    early_heads_cwa,
    early_heads_stop_cwa,
    heads_rise,
    late_heads_cwa,
    late_heads_number_swap,
    late_heads_stop_cwa,
    share,
)

SOURCE = "arXiv:2509.02075"
ENGLISH = ("en",)


@pytest.mark.claim(source=SOURCE, about="mechanism", languages=ENGLISH)
def test_late_heads_write_to_length(probe, language, margins):
    """In English, the late layers' heads raise the tokens that keep to the length."""
    assert share(late_heads_cwa(probe, language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ENGLISH)
def test_late_heads_keep_to_their_own_length(probe, language, margins):
    """In English, the late heads keep to the prompt's own length more than to another prompt's."""
    own = late_heads_cwa(probe, language=language)
    shuffled = late_heads_cwa(probe, language=language, signs="shuffled")
    assert share(own - shuffled) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ENGLISH)
def test_late_heads_outdo_early_ones(probe, language, margins):
    """In English, the late heads raise the tokens that keep to the length more than the early heads do."""
    late = late_heads_cwa(probe, language=language)
    early = early_heads_cwa(probe, language=language)
    assert share(late - early) > margins.smallest_share


@pytest.mark.claim(source=SOURCE, about="mechanism", languages=ENGLISH)
def test_heads_rise_into_the_late_layers(probe, language, margins):
    """In English, the heads' part rises into the late layers, more than under another prompt's length."""
    own = heads_rise(probe, language=language)
    shuffled = heads_rise(probe, language=language, signs="shuffled")
    assert share(own - shuffled) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=ENGLISH)
def test_late_heads_stop_because_of_the_number(probe, language, margins):
    """In English, the late layers' heads end the answer because of the number in the prompt."""
    assert share(late_heads_number_swap(probe, language=language)) > margins.smallest_share


@pytest.mark.claim(source="lengthprobe", kind="replication", about="mechanism", languages=ENGLISH)
def test_late_heads_write_the_stop(probe, language, margins):
    """In English, the late layers' heads end the answer where that is due, more than the early layers' do."""
    late = late_heads_stop_cwa(probe, language=language)
    early = early_heads_stop_cwa(probe, language=language)
    assert share(late - early) > margins.smallest_share
