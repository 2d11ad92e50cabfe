"""Rounds: what the claims of a session lack is found out by running them, and asked all at once.

A claim is cheap and pure: it measures, compares, and asserts. So before the first of them is run, each is run
for planning until it comes to a question without an answer. What all of them lack is asked, and so on, until
none lacks anything; then what the figures of a report lack. Of a run for planning no verdict is kept.
"""

from __future__ import annotations

import inspect
import io
import logging
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError
from lengthprobe.plugin.markers import PROBES, claim_subject, is_claim, is_own
from lengthprobe.plugin.options import option_value
from lengthprobe.plugin.run import RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lengthprobe.asking.planning import Agenda

    # Runs some code; gives what is to be planned after it.
    Task = Callable[[], "Iterable[Task]"]

_REFUSED_MARKS = ("skip", "skipif", "xfail")
_BEGUN = pytest.StashKey[bool]()


def ask_in_rounds(session: pytest.Session) -> None:
    """Ask, once a session, what its claims lack, as far as they can be run for planning.

    No error leaves: a claim that is run after this asks for itself what it still lacks, and says what fails.
    Where the session ends at a first failure (`-x`), nothing is asked that may not be needed. Of several
    workers each asks what its own claims need.
    """
    config = session.config
    begun = config.stash.get(_BEGUN, False)
    config.stash[_BEGUN] = True
    if begun or config.option.setuponly or config.option.maxfail or hasattr(config, "workerinput"):
        return
    from lengthprobe.asking.planning import Agenda

    drawn: set[tuple[str, ...]] = set()
    tasks = [
        task
        for item in session.items
        if isinstance(item, pytest.Function) and can_be_planned(item)
        for task in _task(item, drawn)
    ]
    while tasks:
        agenda = Agenda()
        tasks = list(_unfinished(tasks, agenda))
        try:
            agenda.ask()
        except LengthprobeError:
            return


def can_be_planned(item: pytest.Function) -> bool:
    """Whether a test is a claim that may be run twice: it takes no fixture but lengthprobe's own."""
    if type(item) is not pytest.Function or not is_claim(item) or item.cls is not None:
        return False
    if inspect.iscoroutinefunction(item.obj) or inspect.isgeneratorfunction(item.obj):
        return False
    if hasattr(item.obj, "is_hypothesis_test") or any(map(item.get_closest_marker, _REFUSED_MARKS)):
        return False
    given, known = _parameters(item), item._fixtureinfo.name2fixturedefs
    # `request` stands among all that is set up, since lengthprobe's own fixtures take it.
    names = {*item._fixtureinfo.argnames, *item.fixturenames} - {"request"}
    takes_request = "request" in item._fixtureinfo.argnames
    return not takes_request and all(name in given or is_own(known.get(name, ())) for name in names)


def _unfinished(tasks: Iterable[Task], agenda: Agenda) -> Iterator[Task]:
    """Run tasks for planning; those that come further once the agenda has been asked."""
    from lengthprobe.asking.planning import Lacking, plan_only

    for task in tasks:
        try:
            with _unseen(), plan_only(agenda):
                following = task()
        except Lacking as lacking:
            if lacking.noted:
                yield task
        except (Exception, pytest.fail.Exception, pytest.skip.Exception, SystemExit):
            # It is run again, and says then what there is to say.
            continue
        else:
            yield from _unfinished(following, agenda)


def _task(item: pytest.Function, drawn: set[tuple[str, ...]]) -> list[Task]:
    """The run of a claim, after which come its figures; none where its checkpoints cannot be asked.

    Args:
        item: The claim.
        drawn: The places of the figures that are planned already.
    """
    from lengthprobe.statistics.recording import record_made_verdicts

    probes = item.config.stash[RUN].probes
    try:
        given = _arguments(item)
    except (LengthprobeError, pytest.skip.Exception):
        return []
    has_figures = claim_subject(item) == "mechanism" and option_value(item.config, "report") is not None
    roles = [role for name, role in PROBES.items() if name in given]

    def run() -> list[Task]:
        with record_made_verdicts() as made, suppress(AssertionError):
            item.obj(**given)
        if not has_figures:
            return []
        measured = {key for verdict in made for key in verdict.as_check().measures}
        new = {place: draw for place, draw in probes.draws(roles, measured).items() if place not in drawn}
        drawn.update(new)
        return [partial(_draw, draw) for draw in new.values()]

    return [run]


def _draw(draw: Callable[[], object]) -> list[Task]:
    """Draw a piece of a figure, for what it asks."""
    draw()
    return []


def _arguments(item: pytest.Function) -> dict[str, Any]:
    """What a claim takes, by name. What it reports or shows beside is heard by nobody.

    Raises:
        LengthprobeError: A checkpoint cannot be asked; or the claim would be skipped for want of it.
    """
    run = item.config.stash[RUN]

    def nobody_hears(*_given: object, **_more: object) -> None:
        pass

    own: dict[str, Callable[[], Any]] = {
        "margins": lambda: run.margins,
        "report": lambda: nobody_hears,
        "show_beside": lambda: nobody_hears,
    }
    for name, role in PROBES.items():
        own[name] = partial(run.probes.ask, role, item.session.items)
    given = _parameters(item)
    return {name: given[name] if name in given else own[name]() for name in item._fixtureinfo.argnames}


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


@contextmanager
def _unseen() -> Iterator[None]:
    """While it lasts, nothing is printed, logged or warned of, and no verdict recorded."""
    from lengthprobe.statistics.recording import record_nothing

    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    nowhere = io.StringIO()
    try:
        with (
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
            warnings.catch_warnings(),
            record_nothing(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
