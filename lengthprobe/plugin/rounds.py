"""Rounds: the questions of several claims, found by running the claims early, and asked together.

A claim is cheap and pure: it measures, compares, and asserts. So before the first claim is run, each claim
is run early, up to a question without an answer. The questions of all claims are asked together, and so on,
until no claim lacks an answer. The figures of a report follow in the same way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest

from lengthprobe.plugin.early_runs import EarlyRun, can_be_asked, run_early
from lengthprobe.plugin.markers import PROBES
from lengthprobe.plugin.run import LOOK, RUN, has_figures
from lengthprobe.plugin.silence import silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lengthprobe.asking.agenda import Agenda

    # Runs some code; gives the tasks that follow.
    Task = Callable[[], "Iterable[Task]"]

# A claim that draws its questions at random would ask for ever.
_MOST_ROUNDS = 20


class Rounds(NamedTuple):
    """The outcome of some rounds.

    Args:
        runs: The early run of each claim that came to its end.
        failed: The claims that failed otherwise than by an assertion, or came to no end.
        went_on: Whether nothing stopped the rounds, as a limit on the time of a test does.
    """

    runs: dict[pytest.Function, EarlyRun]
    failed: set[pytest.Function]
    went_on: bool


def ask_in_rounds(items: Sequence[pytest.Function], drawn: set[tuple[str, ...]], *, is_last: bool) -> Rounds:
    """Ask all questions of some claims, each at its look.

    No error leaves but an interrupt: a claim asks for itself, at its turn, whatever the rounds leave open,
    and says what fails.

    Args:
        items: Claims that may be run twice.
        drawn: The places of the figures among all tasks so far.
        is_last: Whether figures are drawn of undecided claims too: no look follows.
    """
    from lengthprobe.asking.agenda import Agenda

    rounds = Rounds({}, set(), True)
    tasks: list[Task] = [
        partial(_run, item, rounds, drawn, is_last=is_last) for item in items if can_be_asked(item)
    ]
    for _ in range(_MOST_ROUNDS):
        agenda = Agenda()
        tasks = list(_unfinished(tasks, agenda))
        if not agenda.questions:
            break
        run = items[0].config.stash[RUN]
        if not ask_together(agenda, run.worker_number, run.workers):
            return rounds._replace(went_on=False)
    else:
        # A claim that asks another question each time.
        rounds.failed.update(item for item in items if item not in rounds.runs)
    return rounds


def ask_together(agenda: Agenda, worker: int = 0, workers: int = 0) -> bool:
    """Ask the questions on an agenda; whether to go on.

    Args:
        agenda: The questions.
        worker: The number of this worker. Each worker begins with another group of questions, so that workers
            need not wait for each other's batches, group by group.
        workers: The number of workers that ask the same questions; 0 without workers.
    """
    from lengthprobe.asking.spreading import asked_by_all

    groups = list(agenda.groups())
    first = worker % len(groups) if groups else 0
    with asked_by_all(workers):
        return all(
            quietly(partial(memory.answer, asked)) for memory, asked in groups[first:] + groups[:first]
        )


def quietly(ask: Callable[[], object]) -> bool:
    """Ask, and leave errors to the claims, which meet them again; whether to go on."""
    try:
        with silence(prints=False):
            ask()
    except pytest.exit.Exception:
        raise
    except Exception:
        return True
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


def _run(item: pytest.Function, rounds: Rounds, drawn: set[tuple[str, ...]], *, is_last: bool) -> list[Task]:
    """Run a claim early; give the figures to draw."""
    try:
        early = rounds.runs[item] = run_early(item)
    except Exception:
        rounds.failed.add(item)
        raise
    if not has_figures(item) or (early.is_undecided and not is_last):
        return []
    roles = [role for name, role in PROBES.items() if name in item._fixtureinfo.argnames]
    drawings = item.config.stash[RUN].drawings
    places = drawings.draws(roles, early.measured, item.stash.get(LOOK, None))
    new = {place: draw for place, draw in places.items() if place not in drawn}
    drawn.update(new)
    return [partial(_draw, draw) for draw in new.values()]


def _draw(draw: Callable[[], object]) -> list[Task]:
    """Draw a piece of a figure, for its questions."""
    draw()
    return []
