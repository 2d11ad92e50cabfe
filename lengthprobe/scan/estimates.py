"""Estimates of every component by attribution and gradients, from the responses of the whole model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lengthprobe.asking.answers import Traced
from lengthprobe.attribution.cumulative import stop_weights
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.attribution.trace import Trace
from lengthprobe.components.names import every_component
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.measures.attribution.number_swap import number_swap_by_component
from lengthprobe.scan.forcing import estimate_first_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.components.names import Component
    from lengthprobe.probe import Probe
    from lengthprobe.task.prompts import Response

# The cost of a forward and a backward pass, in forward passes.
_GRADIENT = 3


class Spoken:
    """A probe with only some of the responses, for the measures of mechanism.

    Args:
        probe: The checkpoint.
        responses: The whole model's responses.
    """

    def __init__(self, probe: Probe, responses: Sequence[Response]) -> None:
        self._probe = probe
        self._responses = tuple(responses)
        self.name, self.settings, self.alpha_shares = probe.name, probe.settings, probe.alpha_shares
        texts = [
            Forced(
                response.prompt,
                response.token_ids,
                None,
                response.finish_reason == "stop",
                opened=response.opened,
            )
            for response in responses
        ]
        token, stop = (self.forced(texts, target=target) for target in ("token", "stop_margin"))
        self._traces = tuple(
            Traced(response, Trace(of_token.contributions, of_stop.contributions), of_token.adherence)
            for response, of_token, of_stop in zip(responses, token, stop, strict=True)
        )

    def responses(self, language: str) -> Sequence[Response]:  # noqa: ARG002  (they are of one)
        """The responses."""
        return self._responses

    def traces(self, language: str) -> Sequence[Traced]:  # noqa: ARG002
        """The attribution of each response, in a pass over the finished response."""
        return self._traces

    def forced(self, texts: Sequence[Forced], *, target: str) -> Sequence[ForcedTrace]:
        """The forced traces of the whole probe, as by `Probe.forced`."""
        return self._probe.forced(texts, target=target)


def estimates(
    probe: Probe, responses: Sequence[Response], mode: str, *, spend: Callable[[str, float], None]
) -> dict[str, dict[str, float | None]]:
    """Three estimates of every component, by the component's name.

    `cwa`: the CWA (METHODS §3). `number_swap`: the part in the stop due to the number (METHODS §3, control
    6). `gradient`: the mean over responses of |first-order change by the ablation of (stop margin where
    ending is due - stop margin where ending is early)|. The absolute value is of each response, since a
    component matters too if the stop of some responses moves in one direction and of others in the opposite.
    All are in logits; None where no response has the measured quantity.

    Args:
        probe: The checkpoint.
        responses: The whole model's responses in a single language.
        mode: The mode of ablation, which says what replaces a component's output.
        spend: Called with the kind of work and its cost in forward passes of a row.

    Raises:
        LengthprobeError: As `Probe.traces`.
    """
    language = responses[0].prompt.language
    spoken = Spoken(probe, responses)
    cwa = cwa_by_component(spoken, language)
    _, swap = number_swap_by_component(spoken, language)
    spend("attribution", 4 * len(responses))
    by_component: dict[str, dict[str, float | None]] = {
        component.name: {
            "cwa": cwa.by_name.get(component.name),
            "number_swap": swap.by_name.get(component.name),
            "gradient": None,
        }
        for component in components_of(probe)
    }
    if mode == "mean":
        spend("finding", sum(len(response.token_ids) + 2 for response in probe.responses(language)))
    for name, size in _gradients(probe, spoken, responses, mode).items():
        # In a narrow format a backward pass can overflow where the forward pass did not.
        by_component[name]["gradient"] = size if math.isfinite(size) else None
    spend("gradient", _GRADIENT * len(responses))
    return by_component


def components_of(probe: Probe) -> tuple[Component, ...]:
    """Every component of a checkpoint.

    Raises:
        LengthprobeError: The checkpoint cannot be loaded or run, or its components are not known.
    """
    if probe.proof.problem is not None:
        raise probe.proof.problem
    return every_component(probe.proof.n_layers, probe.proof.n_heads)


def _gradients(probe: Probe, spoken: Spoken, responses: Sequence[Response], mode: str) -> dict[str, float]:
    adherences = [traced.adherence for traced in spoken.traces("") if traced.adherence is not None]
    weights = stop_weights(adherences, [response.prompt.n_words for response in responses])
    # A response without an end, or without a place for an early end, has no margin to compare.
    weighted = [
        (response, weight) for response, weight in zip(responses, weights, strict=True) if any(weight)
    ]
    if not weighted:
        return {}
    effects = estimate_first_order(
        probe.checkpoint,
        [response for response, _ in weighted],
        [weight for _, weight in weighted],
        mode,
        probe.settings,
        means=lambda: probe.outputs().means,
        batch_size=probe.batch_size,
    )
    heads, mlps = effects.heads.abs().mean(0), effects.mlps.abs().mean(0)
    return {
        component.name: float(
            mlps[component.layer] if component.head is None else heads[component.layer, component.head]
        )
        for component in components_of(probe)
    }
