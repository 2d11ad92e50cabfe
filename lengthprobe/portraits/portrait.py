"""Portrait: the shape of what figures draw of one checkpoint, which JSON takes as it is."""

from __future__ import annotations

from typing import Literal, TypedDict

# Mean, low and high; None for what is not known.
Interval = list[float | None]

# The keys by which a figure has one panel after the other.
ByLayer = Literal["heads_by_layer", "mlps_by_layer"]
ByLength = Literal["final_mlp_by_length", "late_heads_by_length"]
Together = Literal["late_heads", "final_mlp"]
OfWord = Literal["late_heads", "final_mlp", "other"]
OfSwap = Literal["cwa", "number_swap"]


class Word(TypedDict):
    """A word of a response, or its end, with what the components gave to it."""

    text: str
    late_heads: float
    final_mlp: float
    other: float
    ends: bool


class Example(TypedDict):
    """One response, word by word."""

    prompt: str
    response: str
    n_words: int
    words: list[Word]


class CwaInLanguage(TypedDict):
    """The CWA of every component in one language, in logits."""

    n: int
    clusters: int
    heads_by_layer: list[Interval]
    mlps_by_layer: list[Interval]
    head_map: list[list[float]]
    final_mlp_by_length: dict[str, Interval]
    late_heads_by_length: dict[str, Interval]
    example: Example


class SharesByLayer(TypedDict):
    """Shares of all components."""

    heads_by_layer: list[Interval]
    mlps_by_layer: list[Interval]
    late_heads: Interval
    final_mlp: Interval


class NumberSwap(TypedDict):
    """What each layer gives to the stop because of the number, beside its CWA."""

    n: int
    clusters: int
    cwa: SharesByLayer
    number_swap: SharesByLayer


class BesideWhole(TypedDict):
    """How many components lead, and the control of the whole model, on so many prompts."""

    k: int
    n: int
    clusters: int
    whole: Interval


class Curve(BesideWhole):
    """Control without the leading components, by their number."""

    leading: list[str]
    by_k: dict[str, Interval]


class RandomSets(BesideWhole):
    """Control without random sets of similar size."""

    without: Interval
    sets: list[float]
    length: float


class LeadingAlone(BesideWhole):
    """Control with the leading components alone in the late layers."""

    with_only: Interval


class Elsewhere(TypedDict):
    """Control in another language without the components that lead in this one."""

    k: int
    whole: Interval
    without: Interval


class Causes(TypedDict, total=False):
    """What cutting one kind of components did in a language, as far as a claim has measured it."""

    without: Curve
    random: RandomSets
    only: LeadingAlone
    elsewhere: dict[str, Elsewhere]


class Faithfulness(TypedDict):
    """The rank correlation, and of every component its CWA in logits and its effect in words."""

    correlation: Interval
    components: dict[str, list[float]]


class AttributionPortrait(TypedDict):
    """What every portrait has, by language where it is of one."""

    name: str
    architecture: str
    n_layers: int
    n_heads: int
    late_layers: list[int]
    cap: int
    languages: dict[str, CwaInLanguage]
    completeness_gap: float


class Portrait(AttributionPortrait, total=False):
    """All that figures draw of a checkpoint; what only some claims measure, by language."""

    number_swap: dict[str, NumberSwap]
    causes: dict[str, dict[str, Causes]]
    faithfulness: dict[str, Faithfulness]


# What one figure shows beside the attribution, with its place in the portrait told apart.
Piece = NumberSwap | Curve | RandomSets | LeadingAlone | Elsewhere | Faithfulness
