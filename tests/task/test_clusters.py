"""Grapheme clusters: the library's, in one pass."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from uniseg import graphemecluster

from lengthprobe.task.clusters import grapheme_clusters

# One character or more of every kind that the rules tell apart: Hangul pieces, a sign before digits, spacing
# marks, Indic consonants with linkers, pictographs, joiners, flags, controls.
KINDS = (
    "a1\r\n\x00\u0301\u200c\u200d\u0903\u0600\u0d4e\u1100\u1161\u11a8가각क\u094dत\u093c👩👍🏽❤\ufe0f🇮🇹ﾞ\ud800"
)


def test_no_text_has_no_cluster() -> None:
    """An empty text has nothing a reader could see."""
    assert list(grapheme_clusters("")) == []


def test_what_a_reader_sees_is_one() -> None:
    """A letter with its accent, a syllable, a conjunct, a family and a flag are one cluster each."""
    assert list(grapheme_clusters("e\u0301각क्त👨‍👩‍👧🇮🇹🇫🇷\r\n")) == [
        "e\u0301",
        "각",
        "क्त",
        "👨‍👩‍👧",
        "🇮🇹",
        "🇫🇷",
        "\r\n",
    ]


@given(text=st.text(KINDS, max_size=12) | st.text(st.characters(), max_size=12))
@settings(deadline=None, max_examples=500)
def test_the_clusters_are_the_librarys(text: str) -> None:
    """One pass finds what uniseg finds by looking back."""
    assert list(grapheme_clusters(text)) == list(graphemecluster.grapheme_clusters(text))
