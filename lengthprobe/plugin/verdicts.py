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
_MADE_AFTER = pytest.StashKey[list["Verdict"]]()
_RUNNING = pytest.StashKey[bool]()
# By fixture: what was asked in its setup, and what was made there.
_IN_FIXTURES = pytest.StashKey[dict[Any, list["Verdict"]]]()
_MADE_IN_FIXTURES = pytest.StashKey[dict[Any, list["Verdict"]]]()


@contextmanager
def keep_verdicts(item: pytest.Item, phase: str) -> Iterator[None]:
    """Keep every verdict that a claim asks for in one phase of its test, and those that it makes.

    What a fixture makes in its setup is for its claims to ask. After the test nobody is left but the code
    that makes a verdict there.
    """
    from lengthprobe.statistics.recording import record_asked_verdicts, record_made_verdicts

    with ExitStack() as kept:
        kept.enter_context(record_asked_verdicts(item.stash.setdefault(ASKED, [])))
        if phase != "setup":
            made = kept.enter_context(record_made_verdicts())
            item.stash[_MADE if phase == "call" else _MADE_AFTER] = made
            item.stash[_RUNNING] = phase == "call"
        try:
            yield
        finally:
            item.stash[_RUNNING] = False
            for asked in _taken(item, _IN_FIXTURES).values():
                _add(item.stash[ASKED], asked)


def forget(item: pytest.Item) -> None:
    """Begin anew: a test may be run again."""
    item.stash[ASKED], item.stash[_MADE], item.stash[_MADE_AFTER] = [], [], []


def is_running(item: pytest.Item) -> bool:
    """Whether the call of a test has not ended yet: a report on it is on a part, as of a subtest."""
    return item.stash.get(_RUNNING, False)


def never_asked(item: pytest.Item) -> list[Verdict]:
    """The verdicts that a claim made and whose truth it did not ask, those of its fixtures among them.

    A fixture that several tests share may make one verdict for each: of those a claim has to ask one. That
    every one is asked by some claim, `shared_verdicts` sees to.
    """
    unasked = [one for one in item.stash.get(_MADE, []) if not was_asked(item, one)]
    for fixture, made in made_in_fixtures(item).items():
        left = [one for one in made if not was_asked(item, one)]
        if fixture.scope == "function" or len(left) == len(made):
            _add(unasked, left)
    return unasked


def never_asked_after(item: pytest.Item) -> list[Verdict]:
    """The verdicts that were made after a claim's test, as in the teardown of a fixture, and not asked."""
    return [one for one in item.stash.get(_MADE_AFTER, []) if not was_asked(item, one)]


def was_asked(item: pytest.Item, verdict: Verdict) -> bool:
    """Whether a claim, or a fixture that it takes, has asked the truth of a verdict."""
    return _is_in(verdict, item.stash.get(ASKED, []))


def made_in_fixtures(item: pytest.Item) -> dict[Any, list[Verdict]]:
    """The verdicts that the setup of each fixture has made which a test takes."""
    return _taken(item, _MADE_IN_FIXTURES)


def keep_verdicts_of_fixture(request: pytest.FixtureRequest, fixture: Any) -> Generator[None, object, object]:
    """A wrapper of a fixture's setup that keeps what is asked and made in it, for every claim that takes it.

    Of several claims that share a fixture only the first sees it set up.
    """
    from lengthprobe.statistics.recording import record_asked_verdicts, record_made_verdicts

    with record_asked_verdicts() as asked, record_made_verdicts() as made:
        value = yield
    for key, verdicts in ((_IN_FIXTURES, asked), (_MADE_IN_FIXTURES, made)):
        known = request.config.stash.setdefault(key, {})
        known.pop(fixture, None)
        if verdicts:
            known[fixture] = verdicts
    return value


def _taken(item: pytest.Item, kept: pytest.StashKey[dict[Any, list[Verdict]]]) -> dict[Any, list[Verdict]]:
    """What is kept of the fixtures that a test takes, by their names or by request."""
    known = item.config.stash.get(kept, {})
    if not known:
        return {}
    told = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    taken = [definitions[-1] for definitions in told.values() if definitions]
    taken += getattr(getattr(item, "_request", None), "_fixture_defs", {}).values()
    return {one: known[one] for one in dict.fromkeys(taken) if one in known}


def _add(verdicts: list[Verdict], others: list[Verdict]) -> None:
    verdicts += [one for one in others if not _is_in(one, verdicts)]


def _is_in(verdict: Verdict, others: list[Verdict]) -> bool:
    return any(verdict is one for one in others)
