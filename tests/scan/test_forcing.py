"""Forcing: margins under ablation, and estimates, of a model's own responses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lengthprobe.attribution.forced_text import Forced
from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import ModelError
from lengthprobe.probe import Probe
from lengthprobe.scan import forcing
from lengthprobe.scan.forcing import estimate_first_order, margins_under
from lengthprobe.scan.plan import Plan
from lengthprobe.spelling import for_shell, settings_spelled
from lengthprobe.task.prompts import Response


@pytest.fixture(scope="module")
def responses(probe: Probe) -> tuple[Response, ...]:
    """The whole model's responses to four prompts."""
    asked = Plan("en", prompts=4).asked(probe.settings)
    return probe.under([(one, Ablation()) for one in asked])


def _margins(probe: Probe, asked: list[tuple[Response, Ablation]]) -> list[list[float]]:
    return margins_under(probe.checkpoint, asked, probe.settings, means=lambda: probe.outputs().means)


def test_margins_of_the_whole_model_end_its_responses(probe: Probe, responses: tuple[Response, ...]) -> None:
    """The margin is below 0 before every token that it wrote, and above 0 where it ended."""
    for response, margins in zip(
        responses, _margins(probe, [(one, Ablation()) for one in responses]), strict=True
    ):
        assert len(margins) == len(response.token_ids) + 1
        assert max(margins[:-1]) < 0 < margins[-1]


@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_each_row_is_under_its_own_ablation(probe: Probe, responses: tuple[Response, ...], mode: str) -> None:
    """The margins are those of a probe that ablates the component in every row, asked for attributions."""
    cuts = [Ablation().and_also([one], mode) for one in (Component(4, 0), Component(0, 3), Component(1))]
    asked = [(response, cut) for response in responses for cut in [*cuts, Ablation()]]
    texts = [
        Forced(one.prompt, one.token_ids, text=None, ended=one.finish_reason == "stop") for one in responses
    ]

    found = _margins(probe, asked)

    for at, cut in enumerate(cuts):
        with probe.ablated(cut.components, mode) as ablated:
            expected = ablated.forced(texts, target="stop_margin")
        for row, one in enumerate(expected):
            actual = found[row * 4 + at][: len(one.contributions.logits)]
            np.testing.assert_allclose(actual, one.contributions.logits, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_estimate_does_not_hang_on_the_batch(
    probe: Probe, responses: tuple[Response, ...], mode: str
) -> None:
    """One response at a time, or all together."""
    weights = [[1.0] + [0.0] * (len(one.token_ids) - 1) + [-1.0] for one in responses]

    together, single = (
        estimate_first_order(
            probe.checkpoint, responses, weights, mode, probe.settings,
            means=lambda: probe.outputs().means, batch_size=size,
        )
        for size in (8, 1)
    )  # fmt: skip

    assert together.heads.shape == (4, 5, 4)
    assert together.mlps.shape == (4, 5)
    torch.testing.assert_close(together.heads, single.heads, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(together.mlps, single.mlps, rtol=1e-3, atol=1e-4)


def test_short_memory_halves_the_rows(
    probe: Probe, responses: tuple[Response, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The margins are the same; a single row that does not fit is an error that names a fix."""
    asked = [(one, Ablation()) for one in responses]
    expected, whole = _margins(probe, asked), forcing._margins
    room = 1

    def short(checkpoint, readout, some, settings, means):  # type: ignore[no-untyped-def]
        if len(some) > room:
            raise torch.OutOfMemoryError("out of memory")
        return whole(checkpoint, readout, some, settings, means)

    monkeypatch.setattr(forcing, "_margins", short)
    for one, other in zip(_margins(probe, asked), expected, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-3)

    room = 0
    with (
        settings_spelled(for_shell),
        pytest.raises(ModelError, match=r"runs out of memory.*\n.* \(--dtype=bfloat16\)"),
    ):
        _margins(probe, asked)
    with pytest.raises(ModelError, match="--lengthprobe-device-map=balanced"):
        _margins(probe, asked)
