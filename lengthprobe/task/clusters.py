"""Grapheme clusters: what a reader calls a character, in one pass over the text.

uniseg finds the same clusters, but its search for Indic conjuncts looks back over every run of combining
marks again at every mark: 8,000 marks take it a minute. Its character properties are used here, its rules
are written out as states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uniseg.derived import InCB, indic_conjunct_break  # type: ignore[import-untyped]
from uniseg.emoji import extended_pictographic  # type: ignore[import-untyped]
from uniseg.graphemecluster import GCB, grapheme_cluster_break  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTROLS = (GCB.CONTROL, GCB.CR, GCB.LF)
_ATTACHED = (GCB.EXTEND, GCB.ZWJ, GCB.PACINGMARK)
# Hangul syllables, rules GB6 to GB8: what a piece of a syllable can be followed by.
_HANGUL = {
    GCB.L: (GCB.L, GCB.V, GCB.LV, GCB.LVT),
    GCB.LV: (GCB.V, GCB.T),
    GCB.V: (GCB.V, GCB.T),
    GCB.LVT: (GCB.T,),
    GCB.T: (GCB.T,),
}


def grapheme_clusters(text: str) -> Iterator[str]:
    """The extended grapheme clusters of a text (UAX #29, rules GB1 to GB999), in order."""
    start = 0
    before = GCB.CONTROL
    conjunct = ""  # "consonant", then "linked": an Indic consonant, and a linker after it (GB9c)
    emoji = ""  # "pictograph", then "joined": an emoji with its marks, and a joiner after them (GB11)
    flag = False  # whether an odd number of regional indicators came last (GB12, GB13)
    for place, character in enumerate(text):
        kind = grapheme_cluster_break(character)
        indic = indic_conjunct_break(character)
        pictograph = extended_pictographic(character)
        if before in _CONTROLS or kind in _CONTROLS:
            joined = before == GCB.CR and kind == GCB.LF
        else:
            joined = (
                kind in _ATTACHED
                or before == GCB.PREPEND
                or kind in _HANGUL.get(before, ())
                or (conjunct == "linked" and indic == InCB.CONSONANT)
                or (emoji == "joined" and pictograph)
                or (flag and kind == GCB.REGIONAL_INDICATOR)
            )
        if place and not joined:
            yield text[start:place]
            start = place
        conjunct = _conjunct_after(conjunct, indic)
        emoji = _emoji_after(emoji, kind, pictograph)
        flag = kind == GCB.REGIONAL_INDICATOR and not flag
        before = kind
    if text:
        yield text[start:]


def _conjunct_after(conjunct: str, indic: InCB) -> str:
    if indic == InCB.CONSONANT:
        return "consonant"
    if indic == InCB.LINKER:
        return "linked" if conjunct else ""
    return conjunct if indic == InCB.EXTEND else ""


def _emoji_after(emoji: str, kind: GCB, pictograph: bool) -> str:
    if pictograph:
        return "pictograph"
    if kind == GCB.ZWJ:
        return "joined" if emoji == "pictograph" else ""
    return "pictograph" if emoji == "pictograph" and kind == GCB.EXTEND else ""
