"""Plan: which prompts, and how many components on how many of them."""

from __future__ import annotations

from typing import Any

import pytest

from lengthprobe.errors import LanguageError, SettingsError
from lengthprobe.scan.plan import Plan, Rung
from lengthprobe.settings import Settings
from lengthprobe.task.languages import NO_TOPIC, load_language
from lengthprobe.task.prompts import prompts


def test_prompts_are_those_of_the_stream_on_discovery_topics() -> None:
    """In the order of the stream, so that more prompts begin with the same."""
    asked = Plan("en", prompts=20).asked(Settings())

    stream = [one for one in prompts("en", budget=100) if one.topic != NO_TOPIC]
    topics = load_language("en").topics
    assert list(asked) == [one for one in stream if topics[one.topic].split == "discovery"][:20]


def test_seed_gives_other_prompts() -> None:
    """As it does to the suites."""
    assert Plan("en", seed=1).asked(Settings()) != Plan("en", seed=0).asked(Settings())


def test_large_model_is_halved() -> None:
    """Of 1,056 components all are tried on given texts, 40 write answers, 10 are measured."""
    plan = Plan("en", top=10, prompts=64)

    assert plan.forced_rungs(1056) == [Rung(1056, 4), Rung(528, 8), Rung(264, 16)]
    # 40 = four times as many as wanted; of the 30 beyond those, half are left in the next round.
    assert plan.written_rungs(1056) == [Rung(40, 4), Rung(25, 8)]


def test_small_model_is_tried_whole() -> None:
    """There are not three times as many components as are wanted."""
    plan = Plan("en", top=10, prompts=64)

    assert plan.forced_rungs(25) == [Rung(25, 4), Rung(25, 8), Rung(25, 16)]
    assert plan.written_rungs(25) == [Rung(15, 4), Rung(12, 8)]


def test_nothing_is_left_out_where_all_are_wanted() -> None:
    """Then there is nothing to choose."""
    assert Plan("en", top=25).written_rungs(25) == []


def test_few_prompts_are_all_screened() -> None:
    """Rounds never have more prompts than there are."""
    plan = Plan("en", top=10, prompts=6)

    assert plan.screened == 6
    assert plan.forced_rungs(25) == [Rung(25, 4), Rung(25, 6)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"top": 0}, "--top 0: at least 1"),
        ({"prompts": 3}, "--prompts 3: at least 4"),
        ({"sample": -1}, "--sample -1: at least 0"),
        ({"mode": "noise"}, "--mode 'noise' is not known"),
    ],
)
def test_refusals_name_the_option(asked: dict[str, Any], message: str) -> None:
    """Before anything is loaded."""
    with pytest.raises(SettingsError, match=message):
        Plan("en", **asked)


def test_more_prompts_than_there_are() -> None:
    """The message says how many there are."""
    with pytest.raises(SettingsError, match=r"has \d+ prompts on discovery topics"):
        Plan("en", prompts=100_000).asked(Settings(lengths=(3,)))


def test_unknown_language() -> None:
    """As everywhere."""
    with pytest.raises(LanguageError, match="xx"):
        Plan("xx").asked(Settings())
