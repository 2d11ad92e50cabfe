"""Component groups: heads or MLPs taken together by a measure of attribution, by name (METHODS §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.components.layers import early_layers, late_layers
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.nearest import option_to_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from lengthprobe.measures.attribution.by_component import ByComponent, Floats
    from lengthprobe.measures.per_response import Measured

    Group = Callable[[ByComponent], Floats]


def late_heads(by_component: ByComponent) -> Floats:
    """The heads of the late layers together, [n]."""
    summed: Floats = by_component.layers[:, list(late_layers(by_component.n_layers))].sum(1)
    return summed


def early_heads(by_component: ByComponent) -> Floats:
    """The heads of an early layer, a mean over early layers, times the number of late layers, [n]."""
    late, early = late_layers(by_component.n_layers), early_layers(by_component.n_layers)
    scaled: Floats = by_component.layers[:, list(early)].mean(1) * len(late)
    return scaled


def rise_of_heads(by_component: ByComponent) -> Floats:
    """The late layers' heads, less the mean of the layers before times the number of late layers, [n]."""
    late = late_layers(by_component.n_layers)
    before: Floats = by_component.layers[:, : late.start].mean(1) * len(late)
    return late_heads(by_component) - before


def final_mlp(by_component: ByComponent) -> Floats:
    """The last layer's MLP, [n]."""
    return by_component.mlps[:, -1]


def early_mlps(by_component: ByComponent) -> Floats:
    """The mean over the MLPs of the early layers, [n]."""
    mean: Floats = by_component.mlps[:, list(early_layers(by_component.n_layers))].mean(1)
    return mean


COMPONENT_GROUPS: dict[str, Group] = {
    "late heads": late_heads,
    "early heads": early_heads,
    "rise of heads": rise_of_heads,
    "final MLP": final_mlp,
    "early MLPs": early_mlps,
}


def group_of(component: str, probe: Measured) -> Group:
    """The values of a component group, prompt by prompt.

    Args:
        component: The name of the group in `COMPONENT_GROUPS`.
        probe: The checkpoint of the values, for the message.

    Raises:
        SettingsError: No group has this name.
        ModelError: When the values of `rise of heads` are taken: the checkpoint has a single layer, and so no
            layer before the late layers.
    """
    if component not in list(COMPONENT_GROUPS):
        known = [f'"{name}"' for name in COMPONENT_GROUPS]
        raise SettingsError(
            f'component="{component}" is no group of components',
            option_to_type("component", f'"{component}"', known),
        )
    group = COMPONENT_GROUPS[component]

    def values(by_component: ByComponent) -> Floats:
        if group is rise_of_heads and by_component.n_layers == 1:
            raise ModelError(
                f"{probe.name} has one layer, which is a late one: there is none before it to rise from",
                f'leave "{component}" out for this checkpoint (pytest --deselect, or -k "not rise")',
            )
        return group(by_component)

    return values


def early_controls(by_component: ByComponent) -> dict[str, float]:
    """The means of the early layers, for a reader of a claim that failed."""
    return {
        "early layers' heads": float(early_heads(by_component).mean()),
        "early layers' MLPs": float(early_mlps(by_component).mean()),
    }
