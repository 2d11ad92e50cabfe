"""Verdicts: those that a claim made, and those whose truth it asked, in its test or in its fixtures."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from lengthprobe.statistics.verdict import Verdict

ASKED = pytest.StashKey[list["Verdict"]]()
_MADE = pytest.StashKey[list["Verdict"]]()
_RUNNING = pytest.StashKey[bool]()
_IN_FIXTURES = pytest.StashKey[dict[Any, list["Verdict"]]]()


@contextmanager
def keeping(item: pytest.Item, *, call: bool = False) -> Iterator[None]:
    """Keep every verdict that a claim asks for in one phase of its test, and those that its call makes.

    What a fixture makes is for its claims to ask.
    """
    from lengthprobe.statistics.recording import making, recording

    with ExitStack() as kept:
        kept.enter_context(recording(item.stash.setdefault(ASKED, [])))
        if call:
            item.stash[_MADE] = kept.enter_context(making())
            item.stash[_RUNNING] = True
        try:
            yield
        finally:
            item.stash[_RUNNING] = False
            for asked in _of_fixtures(item):
                _add(item.stash[ASKED], asked)


def forget(item: pytest.Item) -> None:
    """Begin anew: a test may be run again."""
    item.stash[ASKED], item.stash[_MADE] = [], []


def is_running(item: pytest.Item) -> bool:
    """Whether the call of a test has not ended yet: a report on it is on a part, as of a subtest."""
    return item.stash.get(_RUNNING, False)


def never_asked(item: pytest.Item) -> list[Verdict]:
    """The verdicts that a claim made and whose truth it did not ask."""
    asked = item.stash.get(ASKED, [])
    return [one for one in item.stash.get(_MADE, []) if not any(one is other for other in asked)]


def keeping_of_fixture(request: pytest.FixtureRequest, fixture: Any) -> Generator[None, object, object]:
    """A wrapper of a fixture's setup that keeps what is asked in it, for every claim that takes the fixture.

    Of several claims that share a fixture only the first sees it set up.
    """
    from lengthprobe.statistics.recording import recording

    with recording() as asked:
        made = yield
    known = request.config.stash.setdefault(_IN_FIXTURES, {})
    known.pop(fixture, None)
    if asked:
        known[fixture] = asked
    return made


def _of_fixtures(item: pytest.Item) -> list[list[Verdict]]:
    """What was asked in the fixtures that a test takes, by their names or by request."""
    known = item.config.stash.get(_IN_FIXTURES, {})
    if not known:
        return []
    told = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    taken = [definitions[-1] for definitions in told.values() if definitions]
    taken += getattr(getattr(item, "_request", None), "_fixture_defs", {}).values()
    return [known[one] for one in dict.fromkeys(taken) if one in known]


def _add(verdicts: list[Verdict], others: list[Verdict]) -> None:
    verdicts += [one for one in others if not any(one is verdict for verdict in verdicts)]
