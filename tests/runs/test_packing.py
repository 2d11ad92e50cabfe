"""Packing of responses and attributions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import lengthprobe
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.runs.packing import (
    Attributions,
    forced_key,
    pack_attributions,
    pack_responses,
    unpack_attributions,
    unpack_responses,
)


@pytest.fixture(scope="module")
def probe() -> lengthprobe.Probe:
    """A probe of tiny-it."""
    return lengthprobe.load("tiny-it", budget=6, cap=30, languages=("en",), device_map="cpu")


def test_responses_come_back_equal(probe: lengthprobe.Probe) -> None:
    """With characters of any kind."""
    first, *rest = probe.responses("en")
    strange = replace(first, text="a\u2028b\ud800\n\0é", opened=True, thought_tokens=2)
    responses = (strange, *rest)
    assert unpack_responses(pack_responses(responses)) == responses


def test_responses_stand_one_a_line(probe: lengthprobe.Probe) -> None:
    """So that git shows the changed ones."""
    text = pack_responses(probe.responses("en"))
    assert len(text.splitlines()) == 6 + 2
    assert len(json.loads(text)) == 6


def test_attributions_come_back_equal(probe: lengthprobe.Probe) -> None:
    """Of responses and of forced texts, bit by bit."""
    every = probe.traces("en")
    texts = [Forced(each.response.prompt, each.response.token_ids[:2], None, False, True) for each in every]
    keys = [forced_key(text, "stop_margin") for text in texts]
    forced = dict(zip(keys, probe.forced(texts, target="stop_margin"), strict=True))
    packed = Attributions("uax29", {each.response.prompt.id: each for each in every}, forced)

    read = unpack_attributions(*pack_attributions(packed), probe.responses("en"))

    assert read.counter == "uax29"
    assert list(read.traced) == list(packed.traced)
    for prompt, traced in packed.traced.items():
        assert read.traced[prompt].response == traced.response
        assert read.traced[prompt].adherence == traced.adherence
        for target in ("token", "stop"):
            ours, theirs = (getattr(each.trace, target) for each in (traced, read.traced[prompt]))
            assert all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in ours.names())
    for key, trace in forced.items():
        assert np.array_equal(read.forced[key].contributions.heads, trace.contributions.heads)
        assert read.forced[key].adherence is None


def test_arrays_of_another_length_are_refused(probe: lengthprobe.Probe) -> None:
    """The facts say how many steps there are."""
    packed = Attributions("uax29", {each.response.prompt.id: each for each in probe.traces("en")})
    text, arrays = pack_attributions(packed)
    facts = json.loads(text)
    facts["responses"].pop()
    with pytest.raises(ValueError, match="another number of steps"):
        unpack_attributions(json.dumps(facts), arrays, probe.responses("en"))
