"""Portrait: the shape of a checkpoint's values for figures, ready for JSON."""

from __future__ import annotations

from typing import Literal, TypedDict

# Mean, low and high; None for an unknown number.
Interval = list[float | None]

# The keys of a figure's panels, in order.
ByLayer = Literal["heads_by_layer", "mlps_by_layer"]
ByLength = Literal["final_mlp_by_length", "late_heads_by_length"]
Together = Literal["late_heads", "final_mlp"]
OfWord = Literal["late_heads", "final_mlp", "other"]
OfSwap = Literal["cwa", "number_swap"]


class Word(TypedDict):
    """A word of a response, or the end of the response, with the components' contributions in logits."""

    text: str
    late_heads: float
    final_mlp: float
    other: float
    ends: bool


class Example(TypedDict):
    """A response, word by word."""

    prompt: str
    response: str
    n_words: int
    words: list[Word]


class CwaInLanguage(TypedDict):
    """The CWA of every component in a language, in logits."""

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
    """The number swap of each layer (its part in the stop due to the number), beside the layer's CWA."""

    n: int
    clusters: int
    cwa: SharesByLayer
    number_swap: SharesByLayer


class BesideWhole(TypedDict):
    """The number k of leading components, and the control of the whole model with its prompts and topics."""

    k: int
    n: int
    clusters: int
    whole: Interval


class Curve(BesideWhole):
    """Control without the leading components, by the number of components cut."""

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
    """Control in another language without the components that lead in the portrait's language."""

    k: int
    whole: Interval
    without: Interval


class Causes(TypedDict, total=False):
    """Effects of cutting a kind of components in a language, as far as claims have measured them."""

    without: Curve
    random: RandomSets
    only: LeadingAlone
    elsewhere: dict[str, Elsewhere]


class Faithfulness(TypedDict):
    """The rank correlation, and for every component the CWA in logits and the effect in words."""

    correlation: Interval
    components: dict[str, list[float]]


class AttributionPortrait(TypedDict):
    """The values of every portrait, and the CWA by language."""

    name: str
    architecture: str
    n_layers: int
    n_heads: int
    late_layers: list[int]
    cap: int
    languages: dict[str, CwaInLanguage]
    completeness_gap: float


class Portrait(AttributionPortrait, total=False):
    """All values of a checkpoint for figures; by language the values that only some claims measure."""

    number_swap: dict[str, NumberSwap]
    causes: dict[str, dict[str, Causes]]
    faithfulness: dict[str, Faithfulness]


# The values of a figure beside the attribution; the place in the portrait is kept apart.
Piece = NumberSwap | Curve | RandomSets | LeadingAlone | Elsewhere | Faithfulness
