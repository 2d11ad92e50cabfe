"""Settings and identities in words."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from lengthprobe.reporting.settings import Listed, Value, fact_lists, setting_lists, value_of
from lengthprobe.settings import Settings


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ([], "–"),
        ({}, "–"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (0.05, "0.05"),
        ("auto", "auto"),
        ([3, 4, 5, 9], "3–5, 9"),
        (["en", "it"], "en, it"),
        ({"en": 0.012, "it": 0.0}, "en 0.012, it 0"),
        ({"n_layers": 5, "completeness_gap": 3.34178e-07}, "layers 5, completeness gap 3.34e-07"),
    ],
)
def test_value_in_words(value, text):
    """Whatever JSON has."""
    assert value_of(value) == Value(text)


def test_digest_is_short_and_known_in_full():
    """Twelve digits tell two checkpoints apart."""
    assert value_of("0123456789abcdef" * 4) == Value("0123456789ab", "0123456789abcdef" * 4)


def test_setting_has_a_label_and_its_option():
    """A reader learns what to type for another value; margins are no setting."""
    assert setting_lists({"cap": 100, "margins": {"a": 1}}) == [
        (
            "How answers are judged",
            [Listed("most tokens of an answer", (Value("100"),), "--lengthprobe-cap")],
        ),
    ]


def test_every_setting_has_a_label():
    """A new setting without one would stand under `Further`."""
    assert "Further" not in [title for title, _ in setting_lists(asdict(Settings()))]


def test_setting_without_a_label_is_shown_all_the_same():
    """As in a report of a later version."""
    (last,) = setting_lists({"new_thing": 1})

    assert last == ("Further", [Listed("new thing", (Value("1"),), "--lengthprobe-new-thing")])


def test_setting_without_a_value_says_what_that_means():
    """A dash would not."""
    lists = setting_lists({"system_prompt": None, "batch_size": None})

    assert [row.values[0].text for _, rows in lists for row in rows] == ["none", "as memory allows"]


def test_facts_stand_side_by_side():
    """One that only one checkpoint has is missing for the other; of another lineage nothing is known."""
    models = {"model": {"name": "a", "commit": "f0"}, "base": {"name": "b", "lineage": None}}

    assert fact_lists(models, {}) == [
        (
            "Checkpoint",
            [
                Listed("name as typed", (Value("a"), Value("b"))),
                Listed("commit", (Value("f0"), Value("–"))),
                Listed("lineage", (Value("not known"), Value("not known"))),
            ],
        )
    ]


def test_facts_that_say_nothing_new_are_left_out():
    """An empty value, and a setting of the run."""
    models = {"model": {"commit": None, "cap": 100, "seed": 1}}

    assert fact_lists(models, {"cap": 100, "seed": 0}) == [("Further", [Listed("seed", (Value("1"),))])]


def test_end_tokens_are_a_list_and_shares_are_in_per_cent():
    """Ids 1 and 2 are no range."""
    told = {"end_token_ids": [1, 2], "cut_off": {"en": 0.125}, "unfinished_thoughts": {"it": [3, 300]}}

    assert [row.values[0].text for _, rows in fact_lists({"model": told}, {}) for row in rows] == [
        "1, 2",
        "en 12.5 %",
        "it 3 of 300",
    ]
