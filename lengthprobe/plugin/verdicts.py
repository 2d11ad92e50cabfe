"""Verdicts of a claim, made or asked for their truth in the claim's test and in its fixtures."""

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
# Expressions and statuses from a run before the test, and whether that run came to its end.
_EARLY = pytest.StashKey[tuple[list[tuple[str, str]], bool]]()
# By fixture: the verdicts asked in its setup, and the verdicts made there.
_IN_FIXTURES = pytest.StashKey[dict[Any, list["Verdict"]]]()
_MADE_IN_FIXTURES = pytest.StashKey[dict[Any, list["Verdict"]]]()


@contextmanager
def keep_verdicts(item: pytest.Item, phase: str) -> Iterator[None]:
    """Keep every verdict that a claim asks for or makes in one phase of its test.

    In the phase `setup` only the verdicts asked for are kept: verdicts made by a fixture's setup are for the
    fixture's claims to ask. A verdict made after the test can be asked only by the code that makes the
    verdict.
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


@contextmanager
def made_early(item: pytest.Item, made: list[Verdict]) -> Iterator[None]:
    """A run of a claim before its test, with all answers where the run comes to its end.

    Args:
        item: The claim.
        made: Filled with the verdicts of this run.
    """
    is_whole = False
    try:
        yield
        is_whole = True
    finally:
        item.stash[_EARLY] = (_said(made), is_whole)


def forget_early(item: pytest.Item) -> None:
    """Forget the run of a claim before its test: the test is on other prompts."""
    item.stash[_EARLY] = ([], False)


def says_otherwise(item: pytest.Item) -> bool:
    """Whether the test of a claim compares something else than the same claim did before its test.

    So a state that the first run used up makes no claim green.
    """
    early, is_whole = item.stash.get(_EARLY, ([], False))
    said = _said(item.stash.get(_MADE, []))
    return early != (said if is_whole else said[: len(early)])


def forget(item: pytest.Item) -> None:
    """Forget the verdicts of an earlier run of the test: pytest may run a test again."""
    item.stash[ASKED], item.stash[_MADE], item.stash[_MADE_AFTER] = [], [], []


def is_running(item: pytest.Item) -> bool:
    """Whether the call of a test has not ended yet: then a report is on a part of the test, as a subtest."""
    return item.stash.get(_RUNNING, False)


def never_asked(item: pytest.Item) -> list[Verdict]:
    """The verdicts that a claim or its fixtures made, and whose truth the claim did not ask.

    A fixture shared by several tests may make a verdict for each test: a claim has to ask at least one of
    these verdicts. `shared_verdicts` checks that some claim asks every verdict.
    """
    unasked = [one for one in item.stash.get(_MADE, []) if not was_asked(item, one)]
    for fixture, made in made_in_fixtures(item).items():
        left = [one for one in made if not was_asked(item, one)]
        if fixture.scope == "function" or len(left) == len(made):
            _add(unasked, left)
    return unasked


def never_asked_after(item: pytest.Item) -> list[Verdict]:
    """The verdicts made after a claim's test, as in the teardown of a fixture, and not asked."""
    return [one for one in item.stash.get(_MADE_AFTER, []) if not was_asked(item, one)]


def was_asked(item: pytest.Item, verdict: Verdict) -> bool:
    """Whether a claim, or a fixture of the claim, has asked the truth of a verdict."""
    return _is_in(verdict, item.stash.get(ASKED, []))


def made_in_fixtures(item: pytest.Item) -> dict[Any, list[Verdict]]:
    """The verdicts made in the setup of the fixtures of a test, by fixture."""
    return _taken(item, _MADE_IN_FIXTURES)


def keep_verdicts_of_fixture(request: pytest.FixtureRequest, fixture: Any) -> Generator[None, object, object]:
    """A wrapper of a fixture's setup, which keeps the verdicts asked and made there for all claims.

    Where several claims share a fixture, pytest sets the fixture up during the first claim only.
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
    """The verdicts kept for the fixtures of a test, whether taken by name or through `request`."""
    known = item.config.stash.get(kept, {})
    if not known:
        return {}
    told = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    taken = [definitions[-1] for definitions in told.values() if definitions]
    taken += getattr(getattr(item, "_request", None), "_fixture_defs", {}).values()
    return {one: known[one] for one in dict.fromkeys(taken) if one in known}


def _said(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(one.expression, one.status) for one in verdicts]


def _add(verdicts: list[Verdict], others: list[Verdict]) -> None:
    verdicts += [one for one in others if not _is_in(one, verdicts)]


def _is_in(verdict: Verdict, others: list[Verdict]) -> bool:
    return any(verdict is one for one in others)
