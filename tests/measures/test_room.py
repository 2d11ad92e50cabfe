"""A token cap that cut the answers short: nothing is judged, and the cap named makes a healthy model hold."""

from __future__ import annotations

import re

import pytest

from lengthprobe import load, measures
from lengthprobe.errors import SettingsError


@pytest.mark.parametrize("cap", [9, 12])
def test_answers_that_were_cut_short_are_not_judged(cap):
    """A healthy model that had no room for its longer answers is no broken one."""
    probe = load("tiny-it", languages=("en",), budget=42, cap=cap, device_map="cpu")
    with pytest.raises(SettingsError, match=f"cap {cap}: .* of 42 answers of tiny-it in 'en'") as raised:
        measures.exact_match(probe, language="en")

    named = re.fullmatch(r"--lengthprobe-cap=(\d+), or shorter lengths", raised.value.fix)
    assert named
    mended = load("tiny-it", languages=("en",), budget=42, cap=int(named[1]), device_map="cpu")
    assert measures.exact_match(mended, language="en").mean == 1.0


def test_shorter_answers_have_room():
    """What a cap has room for hangs on the lengths."""
    probe = load("tiny-it", languages=("en",), budget=20, lengths=(3, 4), cap=12, device_map="cpu")
    assert measures.exact_match(probe, language="en").mean == 1.0


def test_answers_that_run_on_are_judged():
    """A model that is past the words asked for when the cap ends the answer runs on, whatever the cap."""
    probe = load("tiny-base", languages=("en",), budget=20, lengths=(3, 4), cap=24, device_map="cpu")
    assert measures.exact_match(probe, language="en").mean == 0.0
