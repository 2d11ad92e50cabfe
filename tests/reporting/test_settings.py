"""Settings and identities in words."""

from __future__ import annotations

import pytest

from lengthprobe.reporting.settings import Value, facts, settings_by_name, value_of


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
    ],
)
def test_value_in_words(value, text):
    """Whatever JSON has."""
    assert value_of(value) == Value(text)


def test_digest_is_short_and_known_in_full():
    """Twelve digits tell two checkpoints apart."""
    assert value_of("0123456789abcdef" * 4) == Value("0123456789ab", "0123456789abcdef" * 4)


def test_margins_are_no_setting():
    """They have a list of their own."""
    assert settings_by_name({"cap": 100, "prompt_form": "auto", "margins": {"a": 1}}) == [
        ("cap", Value("100")),
        ("prompt form", Value("auto")),
    ]


def test_facts_stand_side_by_side():
    """One that only one checkpoint has is missing for the other."""
    models = {"model": {"name": "a", "lineage": "fixture"}, "base": {"name": "b"}}

    assert facts(models) == [
        ("name", [Value("a"), Value("b")]),
        ("lineage", [Value("fixture"), Value("–")]),
    ]


def test_end_tokens_are_a_list_and_labels_say_what_they_are():
    """Ids 1 and 2 are no range; a row is called by what a reader looks for."""
    rows = facts({"model": {"end_token_ids": [1, 2], "split_batches": 0}})

    assert [(name, value.text) for name, (value,) in rows] == [
        ("end token ids", "1, 2"),
        ("batches split for want of memory", "0"),
    ]
