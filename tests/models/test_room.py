"""Whether answers of the lengths asked for fit into the token cap."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.measures import exact_match
from lengthprobe.models.room import check_room, tokens_for
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.languages import load_language

SETTINGS = Settings(languages=("en", "it"), budget=30, device_map="cpu")


@pytest.mark.parametrize("cap", [9, 12, 16])
def test_cap_that_no_answer_fits(cap):
    """A cap without room for the longest answers is refused, and with the one named a healthy model holds."""
    settings = replace(SETTINGS, cap=cap)
    with pytest.raises(
        SettingsError, match=rf"^cap {cap}: tiny-it writes 9 words in 'it' with 20 "
    ) as raised:
        exact_match(Probe("tiny-it", settings), language="en")

    named = re.match(r"--lengthprobe-cap=(\d+), or shorter lengths$", raised.value.fix)
    assert named
    mended = Probe("tiny-it", replace(SETTINGS, cap=int(named[1])))
    assert exact_match(mended, language="it").mean == 1.0


def test_shorter_lengths(tiny_it):
    """What a cap has room for hangs on the lengths."""
    check_room("tiny-it", tiny_it.checkpoint.tokenizer, replace(SETTINGS, cap=9, lengths=(3,)))


def test_tokens_of_a_plain_answer(tiny_it):
    """The tokens of the plainest stretch of ordinary prose, and the end token."""
    tokenizer = tiny_it.checkpoint.tokenizer
    words = " ".join(load_language("en").ordinary).split()
    sizes = [
        len(tokenizer.encode(" ".join(words[at : at + 5]), add_special_tokens=False))
        for at in range(len(words) - 4)
    ]
    assert tokens_for(5, "en", tokenizer) == min(sizes) + 1


def test_more_words_than_the_language_file_has(tiny_it):
    """Ordinary sentences are said again where more words are asked for."""
    tokenizer = tiny_it.checkpoint.tokenizer
    assert tokens_for(1000, "en", tokenizer) > 1000
