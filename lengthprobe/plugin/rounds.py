"""Rounds: the questions of all claims of a session, found by running the claims, and asked together.

A claim is cheap and pure: it measures, compares, and asserts. So before the first claim is run, each claim
is run early, up to a question without an answer. The questions of all claims are asked together, and so on,
until no claim lacks an answer. The figures of a report follow in the same way.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

from lengthprobe.plugin.markers import PROBES, is_claim, is_own
from lengthprobe.plugin.run import RUN, has_figures
from lengthprobe.plugin.silence import silence
from lengthprobe.plugin.stateless import is_stateless
from lengthprobe.plugin.verdicts import made_early

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lengthprobe.asking.agenda import Agenda
    from lengthprobe.probe import Probe
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.verdict import Verdict

    # Runs some code; gives the tasks that follow.
    Task = Callable[[], "Iterable[Task]"]

# A claim that draws its questions at random would ask for ever.
_MOST_ROUNDS = 20
_REFUSED_MARKS = ("skip", "skipif", "xfail")
_BEGUN = pytest.StashKey[bool]()


def ask_in_rounds(session: pytest.Session) -> None:
    """Ask, once a session, all questions of the claims that may be run twice.

    No error leaves but an interrupt: a claim asks for itself, at its turn, whatever the rounds leave open,
    and says what fails. Where the session ends at a first failure (`-x`), and in a worker, no claim is asked
    for early.
    """
    config = session.config
    begun, config.stash[_BEGUN] = config.stash.get(_BEGUN, False), True
    if begun or _runs_once(config):
        return
    from lengthprobe.asking.agenda import Agenda

    drawn: set[tuple[str, ...]] = set()
    tasks = [task for item in session.items if may_run_twice(item) for task in _tasks(item, drawn)]
    for _ in range(_MOST_ROUNDS):
        agenda = Agenda()
        tasks = list(_unfinished(tasks, agenda))
        if not agenda.questions or not _ask(agenda):
            return


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


def _runs_once(config: pytest.Config) -> bool:
    """Whether a session is of no use for rounds, or looks into each run of a claim."""
    option = config.option
    looked_into = ("setuponly", "setupplan", "maxfail", "usepdb", "trace")
    return (
        any(getattr(option, name, False) for name in looked_into)
        or hasattr(config, "workerinput")
        or bool(config.getini("enable_assertion_pass_hook"))
    )


def _ask(agenda: Agenda) -> bool:
    """Ask the questions on an agenda; whether to go on."""
    for memory, questions in agenda.groups():
        try:
            with silence(prints=False):
                memory.answer(questions)
        except pytest.exit.Exception:
            raise
        except Exception:
            continue
        except (pytest.fail.Exception, pytest.skip.Exception):
            # As by a limit on the time of a test.
            return False
    return True


def _unfinished(tasks: Iterable[Task], agenda: Agenda) -> Iterator[Task]:
    """Run tasks early; give those that come further with the answers to the agenda."""
    from lengthprobe.asking.agenda import Lacking, note_only

    for task in tasks:
        try:
            with silence(), note_only(agenda):
                following = task()
        except Lacking as lacking:
            if lacking.noted:
                yield task
        except KeyboardInterrupt:
            raise
        except BaseException:
            continue
        else:
            yield from _unfinished(following, agenda)


def _tasks(item: pytest.Function, drawn: set[tuple[str, ...]]) -> list[Task]:
    """The early run of a claim, with the figures to follow; none where its checkpoints cannot be asked.

    Args:
        item: The claim.
        drawn: The places of the figures among all tasks so far.
    """
    from lengthprobe.statistics.recording import record_made_verdicts

    probes = item.config.stash[RUN].probes
    reported: list[Comparable | Verdict] = []
    try:
        given = _arguments(item, reported)
    except (Exception, pytest.skip.Exception):
        return []
    roles = [role for name, role in PROBES.items() if name in given]

    def run() -> list[Task]:
        reported.clear()
        with record_made_verdicts() as made, made_early(item, made), suppress(AssertionError):
            item.obj(**given, **copy.deepcopy(_parameters(item)))
        if not has_figures(item):
            return []
        places = probes.draws(roles, _measured([*made, *reported]))
        new = {place: draw for place, draw in places.items() if place not in drawn}
        drawn.update(new)
        return [partial(_draw, draw) for draw in new.values()]

    return [run]


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


def _draw(draw: Callable[[], object]) -> list[Task]:
    """Draw a piece of a figure, for its questions."""
    draw()
    return []


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
    return item.config.stash[RUN].probes.ask(role, item.session.items)


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
