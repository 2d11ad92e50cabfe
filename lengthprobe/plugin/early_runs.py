"""Early runs: a claim is run before its test, so that its questions and its verdicts are known."""

from __future__ import annotations

import copy
import inspect
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

from lengthprobe.errors import Undecided
from lengthprobe.plugin.markers import PROBES, is_claim, is_own, probe_for
from lengthprobe.plugin.run import LOOK, RUN
from lengthprobe.plugin.silence import silence
from lengthprobe.plugin.stateless import is_stateless
from lengthprobe.plugin.verdicts import made_early

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lengthprobe.probe import Probe
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.verdict import Verdict

_PACKAGE = Path(__file__).parents[1]
_REFUSED_MARKS = ("skip", "skipif", "xfail")


@dataclass(slots=True)
class EarlyRun:
    """The verdicts and the reports of a claim that was run before its test.

    Args:
        made: The verdicts, in order.
        reported: The reports of a finding.
        error: What ended the run, None for a run that ended well.
    """

    made: list[Verdict] = field(default_factory=list)
    reported: list[Comparable | Verdict] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether more prompts may decide the claim."""
        if isinstance(self.error, Undecided):
            return True
        if any(verdict.status == "broken" for verdict in self.made):
            return False
        return any(verdict.status == "undecided" for verdict in self.made)

    @property
    def measured(self) -> set[Any]:
        """The keys of all that was compared or reported with its preconditions met, as `Entry.measured`."""
        return _measured([*self.made, *self.reported])


def run_early(item: pytest.Function) -> EarlyRun:
    """Run a claim before its test, at its look.

    An assertion that fails, a skip and a `pytest.fail` of the claim's own end the run.

    Raises:
        Lacking: A question has no answer, and questions are only noted (`asking.agenda`).
        Exception: The claim, or a checkpoint, failed otherwise.
        pytest.fail.Exception: Somebody else stopped the claim, as for a limit on the time of a test.
    """
    from lengthprobe.statistics.recording import record_made_verdicts

    early = EarlyRun()
    given = _arguments(item, early.reported)
    try:
        with record_made_verdicts() as made, made_early(item, made):
            item.obj(**given, **copy.deepcopy(_parameters(item)))
    except (AssertionError, pytest.skip.Exception, pytest.xfail.Exception) as error:
        early.error = error
    except pytest.fail.Exception as error:
        if _is_in_the_library(error):
            raise
        early.error = error
    early.made.extend(made)
    return early


def _is_in_the_library(error: BaseException) -> bool:
    """Whether an error came up while the library asked or computed, and not in a claim's own code."""
    paths = [Path(entry.filename) for entry in traceback.extract_tb(error.__traceback__)]
    # The first is this module, which runs the claim.
    return any(_PACKAGE in path.parents for path in paths[1:])


def can_be_asked(item: pytest.Function) -> bool:
    """Whether the checkpoints of a claim are to be had, and answer the prompts of the first look."""
    try:
        with silence(prints=False):
            _arguments(item, [])
    except (Exception, pytest.skip.Exception):
        return False
    return True


def may_run_twice(item: pytest.Item) -> TypeGuard[pytest.Function]:
    """Whether a test is a claim without a state that takes no fixture but lengthprobe's own."""
    if type(item) is not pytest.Function or not is_claim(item) or item.cls is not None:
        return False
    if inspect.iscoroutinefunction(item.obj) or inspect.isgeneratorfunction(item.obj):
        return False
    if hasattr(item.obj, "is_hypothesis_test") or any(map(item.get_closest_marker, _REFUSED_MARKS)):
        return False
    given, known = _parameters(item), item._fixtureinfo.name2fixturedefs
    # `request` stands among all that is set up, since lengthprobe's own fixtures take it.
    names = {*item._fixtureinfo.argnames, *item.fixturenames} - {"request"}
    return (
        "request" not in item._fixtureinfo.argnames
        and is_stateless(item.obj)
        and not any(isinstance(value, Iterator) for value in given.values())
        and all(name in given or (name in _OWN and is_own(known.get(name, ()))) for name in names)
    )


def _measured(found: Iterable[Comparable | Verdict]) -> set[Any]:
    """The keys of all that was compared or reported, where no precondition is unmet: as `Entry.measured`."""
    from lengthprobe.statistics.verdict import Verdict

    keys: set[Any] = set()
    for one in found:
        unmet, measures = (
            (one.comparison.unmet, one.comparison.measures)
            if isinstance(one, Verdict)
            else (one.shown.unmet, one.measures)
        )
        if unmet is None:
            keys.update(measures)
    return keys


def _arguments(item: pytest.Function, reported: list[Comparable | Verdict]) -> dict[str, Any]:
    """The values of a claim's fixtures, by name.

    Args:
        item: The claim.
        reported: Filled with all that the claim reports.

    Raises:
        LengthprobeError: A checkpoint cannot be asked.
        pytest.skip.Exception: The claim is skipped for want of a checkpoint.
    """
    return {name: _OWN[name](item, reported) for name in item._fixtureinfo.argnames if name in _OWN}


def _asked(role: str, item: pytest.Function, _reported: list[Comparable | Verdict]) -> Probe:
    probe = item.config.stash[RUN].probes.ask(role, item.session.items, item.stash.get(LOOK, None))
    found: Probe = probe_for(item, probe)
    return found


# The fixtures of a claim that may run twice: each with the value for an early run of a claim, which reports
# into a list.
_OWN: dict[str, Callable[[pytest.Function, list[Comparable | Verdict]], Any]] = {
    **{name: partial(_asked, role) for name, role in PROBES.items()},
    "margins": lambda item, _reported: item.config.stash[RUN].margins,
    "report": lambda _item, reported: lambda found, _says="": reported.append(found),
    "show_beside": lambda _item, _reported: lambda _estimate: None,
}


def _parameters(item: pytest.Function) -> dict[str, Any]:
    """The values that `parametrize` gives a test itself, and none of its fixtures."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return {}
    known = item._fixtureinfo.name2fixturedefs
    # A value for a test itself stands behind a fixture that pytest makes.
    return {
        name: value
        for name, value in callspec.params.items()
        if known.get(name) and known[name][-1].func.__module__ == pytest.Function.__module__
    }
