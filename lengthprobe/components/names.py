"""Components: a model's attention heads and MLPs by name (L3H1, MLP4), and ablations of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

MODES = ("zero", "mean", "resample")

_NAME = re.compile(r"L(?P<layer>\d+)(?:H(?P<head>\d+|\*))?|MLP(?P<mlp>\d+)")
# So many names stand in a label.
_NAMED = 4
_FORMS = "a head is L3H1, a layer's heads L3H*, an MLP MLP3, a whole layer L3"


@dataclass(frozen=True, slots=True)
class Component:
    """An attention head or an MLP.

    Args:
        layer: Its layer, from 0.
        head: Its head, from 0; None for the MLP.
    """

    layer: int
    head: int | None = None

    @property
    def name(self) -> str:
        """L3H1 or MLP3."""
        return f"MLP{self.layer}" if self.head is None else f"L{self.layer}H{self.head}"

    @property
    def kind(self) -> str:
        """`head` or `mlp`."""
        return "mlp" if self.head is None else "head"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Ablation:
    """The components whose output is replaced, by mode. An empty ablation replaces nothing.

    The output of a head is the input to the output projection. The output of an MLP is the layer's addition
    to the residual stream, after a norm where a norm follows. The projection's bias belongs to no head, and
    stays. The order of the names does not matter.

    Args:
        zero: Components replaced by zeros.
        mean: Components replaced by their mean over reference prompts.
        resample: Components replaced by their output on the same text under a prompt with another N.

    Raises:
        SettingsError: A component is named under two modes.
    """

    zero: tuple[Component, ...] = ()
    mean: tuple[Component, ...] = ()
    resample: tuple[Component, ...] = ()

    def __post_init__(self) -> None:
        for mode in MODES:
            object.__setattr__(self, mode, tuple(sorted(set(getattr(self, mode)), key=_place)))
        if len(set(self.components)) < len(self.components):
            raise SettingsError(
                f"a component is to be replaced in two ways: {self}",
                "name it under one mode, or say which way wins: ablation.and_also([component], mode)",
            )

    @property
    def components(self) -> tuple[Component, ...]:
        """All replaced components."""
        return self.zero + self.mean + self.resample

    def and_also(self, components: Collection[Component], mode: str) -> Ablation:
        """The ablation with more components; a component under another mode moves to this mode.

        Raises:
            SettingsError: The mode is unknown.
        """
        if mode not in MODES:
            raise SettingsError(f"ablation mode {mode!r} is not known", f"mode is one of {', '.join(MODES)}")
        kept = {
            name: tuple(component for component in getattr(self, name) if component not in components)
            for name in MODES
        }
        kept[mode] += tuple(components)
        return Ablation(**kept)

    def with_all(self, other: Ablation) -> Ablation:
        """The ablation with all components of another; the other's modes win."""
        ablation = self
        for mode in MODES:
            if getattr(other, mode):
                ablation = ablation.and_also(getattr(other, mode), mode)
        return ablation

    @property
    def label(self) -> str:
        """The ablation in few words: `zero: L3H0, L3H2 and 6 more`."""
        return "; ".join(f"{mode}: {first_few_names(names)}" for mode, names in self.as_dict().items())

    def as_dict(self) -> dict[str, list[str]]:
        """The names of the components by mode, as values for JSON."""
        return {
            name: [component.name for component in getattr(self, name)]
            for name in MODES
            if getattr(self, name)
        }

    def __str__(self) -> str:
        return "; ".join(f"{mode} {', '.join(names)}" for mode, names in self.as_dict().items())


def first_few_names(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are: `L3H0, L3H1, L3H2, L3H3 and 4 more`."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _place(component: Component) -> tuple[int, bool, int]:
    """The place of a component in the order of a model: layer by layer, the heads before the MLP."""
    return component.layer, component.head is None, component.head or 0


def every_component(n_layers: int, n_heads: int) -> tuple[Component, ...]:
    """All heads and MLPs of a model, layer by layer."""
    return tuple(Component(layer, head) for layer in range(n_layers) for head in (*range(n_heads), None))


def find_components(
    wanted: str | Component | Iterable[str | Component], *, n_layers: int, n_heads: int, model: str
) -> tuple[Component, ...]:
    """The components with some names, each once, layer by layer.

    Args:
        wanted: A component, its name, or several: `L3H1`, `MLP3`, `L3H*` (a layer's heads), `L3` (a layer's
            heads and its MLP); in one string, with commas between.
        n_layers: L, the model's layers.
        n_heads: H, its heads a layer.
        model: Its name, for messages.

    Raises:
        SettingsError: A name has no meaning, or no component in this model; or no name is given.
    """
    entries = [wanted] if isinstance(wanted, (str, Component)) else list(wanted)
    names = [
        name.strip()
        for entry in entries
        for name in (entry.name if isinstance(entry, Component) else entry).split(",")
    ]
    components = {component for name in names if name for component in _named(name, n_layers, n_heads, model)}
    if not components:
        raise SettingsError("no component is named, so that nothing would be ablated", _FORMS)
    return tuple(component for component in every_component(n_layers, n_heads) if component in components)


def only_heads(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """The components, all of which have to be heads.

    Raises:
        SettingsError: Another component is among them.
    """
    others = [component.name for component in components if component.kind != "head"]
    if others:
        raise SettingsError(f"{', '.join(others)} is no head", "name heads: L3H1, or L3H* for a layer's")
    return components


def _named(name: str, n_layers: int, n_heads: int, model: str) -> list[Component]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise SettingsError(f"component {name!r} is not a name of one", _FORMS)
    layer = int(match["layer"] or match["mlp"] or 0)
    head = match["head"]
    if layer >= n_layers or (head not in (None, "*") and int(head) >= n_heads):
        raise SettingsError(
            f"component {name!r} is not in {model}, which has {n_layers} layers of {n_heads} heads",
            f"heads are L0H0 to L{n_layers - 1}H{n_heads - 1}, MLPs MLP0 to MLP{n_layers - 1}",
        )
    if match["mlp"] is not None:
        return [Component(layer)]
    if head is None:
        return [Component(layer, head_index) for head_index in (*range(n_heads), None)]
    return [Component(layer, head_index) for head_index in (range(n_heads) if head == "*" else [int(head)])]


def check_some_left(ablation: Ablation, *, n_layers: int, n_heads: int, model: str) -> None:
    """Refuse to ablate all components of a model: then no prompt has an influence on the response.

    Args:
        ablation: The ablation.
        n_layers: How many layers the model has.
        n_heads: How many heads a layer has.
        model: Its name, for the message.

    Raises:
        SettingsError: Nothing would be left.
    """
    every = every_component(n_layers, n_heads)
    if len(ablation.components) == len(every):
        raise SettingsError(
            f"all {len(every)} heads and MLPs of {model} would be ablated: nothing is left that reads the "
            "prompt, and control of the length cannot be measured",
            f"leave some in place: a layer's heads are L{n_layers - 1}H*, its MLP MLP{n_layers - 1}",
        )
