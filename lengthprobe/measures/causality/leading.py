"""Leading components, of highest CWA on discovery topics, and random components to compare with."""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from lengthprobe.components.names import Component, every_component
from lengthprobe.errors import SettingsError
from lengthprobe.measures.attribution.by_component import Traceable
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.task.prompts import split_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lengthprobe.activations.component_outputs import ComponentOutputs
    from lengthprobe.asking.answers import Proof
    from lengthprobe.components.names import Ablation
    from lengthprobe.measures.attribution.by_component import Floats
    from lengthprobe.task.prompts import Prompt, Response

KINDS = ("heads", "mlps")
DRAWS = 20
# The number of random sets drawn, of which sets about as large as the chosen set are kept; and the number of
# other components, nearest in length to a chosen component, from which its replacement is drawn.
_LOOKED_AT = 1000
_NEAREST = 10
# The smallest ratio of the lengths of two outputs of similar size.
SIMILAR = 0.5


class Ablatable(Traceable, Protocol):
    """A probe, as a measure of causes needs one."""

    @property
    def has_later_look(self) -> bool:
        """Whether more prompts follow, where the answers to these do not tell."""

    @property
    def proof(self) -> Proof:
        """The proof of the model's components, with the numbers of layers and heads."""

    def outputs(self, languages: Sequence[str]) -> ComponentOutputs:
        """The sizes of the components' outputs where responses in some languages are written."""

    def under(self, asked: Sequence[tuple[Prompt, Ablation]], *, beyond: int | None) -> Sequence[Response]:
        """The response to each prompt under an ablation of its own, followed to some words above N."""


def leading_components(
    probe: Ablatable, *, language: str, kind: str = "heads", k: int | None = None
) -> tuple[Component, ...]:
    """The k heads or MLPs of highest CWA above its control in a language, the highest first (METHODS §3).

    The control is CWA under another prompt's length (*shuffled*). The control takes away a component's part
    in writing words, whatever the length; in raw CWA this part outweighs the part in ending the response
    (ours). The components are found on the prompts about discovery topics, so that later measures on test
    topics do not depend on the noise of the choice (METHODS §4).

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.
        k: How many components; by default as many heads as a layer has, or one MLP (ours).

    Raises:
        ModelError: The checkpoint's components are not known, or do not add up to its logits.
        SettingsError: There are fewer than k, or no prompt is about a discovery topic.
    """
    means = cwa_above_control(probe, language, kind)
    k = _default_count(probe, kind) if k is None else k
    if not 1 <= k <= means.size:
        raise SettingsError(f"{k} {kind} of {probe.name} cannot be chosen", f"k is from 1 to {means.size}")
    order = means.ravel().argsort(kind="stable")[::-1][:k]
    if kind == "mlps":
        return tuple(Component(int(index)) for index in order)
    n_heads = means.shape[1]
    return tuple(Component(int(index) // n_heads, int(index) % n_heads) for index in order)


def cwa_above_control(
    probe: Traceable, language: str, kind: str, *, text_of: Traceable | None = None
) -> Floats:
    """The mean CWA above its control of each head, [L, H], or MLP, [L], on discovery topics.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.
        text_of: Another checkpoint whose responses are forced on `probe`, as in `cwa`.

    Raises:
        ModelError: The checkpoint's components are not known, or do not add up to its logits.
        SettingsError: The kind is unknown, or no prompt is about a discovery topic.
    """
    if kind not in KINDS:
        raise SettingsError(f"kind {kind!r} is not known", "kind is heads or mlps")
    own, control = (
        cwa_by_component(probe, language, signs=signs, text_of=text_of) for signs in ("adherence", "shuffled")
    )
    rows = [row for row, prompt in enumerate(own.prompts) if split_of(prompt) == "discovery"]
    if not rows:
        raise SettingsError(
            f"none of the {probe.settings.budget} prompts in {language!r} is about a discovery topic",
            "setting:budget=300",
        )
    above = own.heads - control.heads if kind == "heads" else own.mlps - control.mlps
    means: Floats = above[rows].mean(0)
    return means


def similar_sets(
    probe: Ablatable, chosen: Sequence[Component], *, language: str
) -> tuple[tuple[Component, ...], ...]:
    """Random sets of as many other components of the same kind, from any layer, of similar output norm.

    For each chosen component, a replacement is drawn from the 10 other components nearest in length and not
    drawn yet (from the 20 nearest, where a single component is chosen). Sets are drawn by the settings' seed,
    and the first 20 different sets of similar size are returned. Similar size: the outputs together are from
    half to twice as long as the chosen components' outputs (METHODS §4; 10, 20 and the band are ours). There
    may be fewer sets, and none where the chosen components are by far the largest. Lengths are measured where
    the language's responses are written (`Probe.outputs`).

    Args:
        probe: The checkpoint.
        chosen: The components, all of the same kind.
        language: Code of the language.

    Raises:
        SettingsError: There are fewer other components than chosen components.
    """
    others = others_of_kind(probe, chosen)
    if len(others) < len(chosen):
        called = "heads" if chosen[0].kind == "head" else "MLPs"
        most = (len(others) + len(chosen)) // 2
        raise SettingsError(
            f"{probe.name} has {len(others)} other {called}, to be compared with {len(chosen)}",
            f"k={most} or fewer" if most else "a model of more than one layer",
        )
    lengths = _lengths(probe, (*others, *chosen), language)
    near = {
        component: sorted(others, key=lambda other: abs(lengths[other] - lengths[component]))
        for component in chosen
    }
    pool = max(_NEAREST, DRAWS // len(chosen))
    draw = random.Random(probe.settings.seed)
    sets: dict[frozenset[Component], None] = {}
    for _ in range(_LOOKED_AT):
        drawn: set[Component] = set()
        for counterpart in draw.sample(chosen, len(chosen)):
            drawn.add(
                draw.choice([*islice((other for other in near[counterpart] if other not in drawn), pool)])
            )
        if SIMILAR <= _relative(drawn, chosen, lengths) <= 1 / SIMILAR:
            sets[frozenset(drawn)] = None
    return tuple(tuple(sorted(members, key=lambda member: member.name)) for members in islice(sets, DRAWS))


def relative_length(
    probe: Ablatable, chosen: Sequence[Component], sets: Sequence[Sequence[Component]], *, language: str
) -> float:
    """The mean length of the outputs of some sets, as a share of the chosen components' length.

    Args:
        probe: The checkpoint.
        chosen: The components.
        sets: The sets from `similar_sets`, at least one.
        language: Code of the language.
    """
    lengths = _lengths(
        probe, {component for components in (chosen, *sets) for component in components}, language
    )
    return sum(_relative(components, chosen, lengths) for components in sets) / len(sets)


def _relative(
    components: Iterable[Component], chosen: Iterable[Component], lengths: Mapping[Component, float]
) -> float:
    """The length of some components' outputs together, as a share of the chosen components' length.

    Where the chosen components put out nothing, the share is 1: cut components are compared with any others.
    """
    size = sum(lengths[component] for component in chosen)
    return sum(lengths[component] for component in components) / size if size else 1.0


def _lengths(probe: Ablatable, components: Iterable[Component], language: str) -> dict[Component, float]:
    """The mean length of each component's output where a language's responses are written."""
    outputs = probe.outputs([language])
    return {
        component: float(
            outputs.mlps[component.layer]
            if component.head is None
            else outputs.heads[component.layer, component.head]
        )
        for component in components
    }


def others_of_kind(probe: Ablatable, chosen: Sequence[Component]) -> list[Component]:
    """All other components of the chosen components' kind, layer by layer."""
    every = every_component(probe.proof.n_layers, probe.proof.n_heads)
    return [component for component in every if component.kind == chosen[0].kind and component not in chosen]


def _default_count(probe: Ablatable, kind: str) -> int:
    return probe.proof.n_heads if kind == "heads" else 1
