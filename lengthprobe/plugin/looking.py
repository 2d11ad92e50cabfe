"""Looking as the data come: a claim is judged on few prompts, and on more prompts while undecided.

`statistics.looks` plans the looks. A claim that cannot be run twice is judged on the whole budget at once. So
is a finding, which decides nothing.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

from lengthprobe.plugin.early_runs import may_run_twice, run_early
from lengthprobe.plugin.markers import PROBES, claim_kind, is_claim, probe_for
from lengthprobe.plugin.rounds import ask_in_rounds, quietly
from lengthprobe.plugin.run import LOOK, RUN
from lengthprobe.plugin.silence import silence
from lengthprobe.plugin.verdicts import forget_early

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.statistics.looks import PlannedLook

_BEGUN = pytest.StashKey[bool]()
_MAY = pytest.StashKey[bool]()


def look_at_all(session: pytest.Session) -> None:
    """Look, once a session, at all claims together.

    Workers that share their work plan the same questions, and each question is asked by a worker that is
    free. Where the session looks into each run of a claim, or ends at a first failure (`-x`), and in a worker
    on another machine, each claim is looked at alone, at its turn.
    """
    config = session.config
    begun, config.stash[_BEGUN] = config.stash.get(_BEGUN, False), True
    if begun or _looks_alone(config):
        return
    claims = [item for item in session.items if may_run_twice(item)]
    drawn: set[tuple[str, ...]] = set()
    waiting = [item for item in claims if is_looked_at(item)]
    run, before = config.stash[RUN], 0
    for look in run.looks:
        if not waiting:
            break
        began = time.monotonic()
        undecided = _look_at(waiting, look, drawn, run.looks[-1])
        if undecided is None:
            return
        waiting = undecided
        run.seconds_a_prompt = (time.monotonic() - began) / (look.prompts - before)
        before = look.prompts
    ask_in_rounds([item for item in claims if not is_looked_at(item)], drawn, is_last=True)


def look_at_alone(item: pytest.Item) -> None:
    """Look at a claim whose look is still open, before its test; give the claim the probes of its look."""
    given: dict[str, Any] = getattr(item, "funcargs", {})
    for name in PROBES:
        if name in given:
            given[name] = probe_for(item, given[name])
    if not is_looked_at(item):
        return
    if LOOK not in item.stash:
        _find_look(item)
    look = item.stash[LOOK]
    for name in PROBES:
        if look is not None and name in given:
            given[name] = given[name].at_look(look)


def is_looked_at(item: pytest.Item) -> TypeGuard[pytest.Function]:
    """Whether a claim is judged at looks, and not on the whole budget at once."""
    if _MAY not in item.stash:
        item.stash[_MAY] = (
            is_claim(item)
            and claim_kind(item) != "finding"
            and may_run_twice(item)
            and not _runs_no_claim_early(item.config)
        )
    return item.stash[_MAY]


def _runs_no_claim_early(config: pytest.Config) -> bool:
    """Whether a session runs no claim, or hears of each assertion that passes."""
    option = config.option
    return bool(option.setuponly or option.setupplan or config.getini("enable_assertion_pass_hook"))


def _looks_alone(config: pytest.Config) -> bool:
    """Whether each claim of a session is looked at alone, at its turn, or not at all."""
    looked_into = ("maxfail", "usepdb", "trace")
    return (
        _runs_no_claim_early(config)
        or any(getattr(config.option, name, False) for name in looked_into)
        or config.stash[RUN].is_lonely_worker
    )


def _look_at(
    items: Sequence[pytest.Function], look: PlannedLook, drawn: set[tuple[str, ...]], last: PlannedLook
) -> list[pytest.Function] | None:
    """Look at some claims together; give the undecided claims, None where something stopped the session.

    Something that stops is a limit on the time of a test, for instance: then each claim looks at its turn.
    """
    for item in items:
        item.stash[LOOK] = look
    went_on = quietly(partial(items[0].config.stash[RUN].probes.prepare, items, look))
    rounds = ask_in_rounds(items, drawn, is_last=look == last) if went_on else None
    undecided = []
    for item in items:
        if rounds is not None and item in rounds.runs:
            if rounds.runs[item].is_undecided:
                undecided.append(item)
        elif rounds is not None and item in rounds.failed:
            _judge_at(item, last)
        else:
            # A question that is not asked early, or rounds that were stopped: the claim's turn will tell.
            del item.stash[LOOK]
    if rounds is None or not rounds.went_on:
        for item in undecided:
            del item.stash[LOOK]
        return None
    return undecided


def _find_look(item: pytest.Function) -> None:
    """Run a claim at one look after the other, up to a decision; questions are asked."""
    run = item.config.stash[RUN]
    for look in run.looks:
        item.stash[LOOK] = look
        run.probes.prepare([item], look)
        try:
            with silence():
                early = run_early(item)
        except Exception:
            _judge_at(item, run.looks[-1])
            return
        if not early.is_undecided:
            return


def _judge_at(item: pytest.Function, last: PlannedLook) -> None:
    """Judge a claim that failed at a look at the last look: the failure may come from few prompts.

    The last look has its own part of alpha. The test meets the failure again, or not.
    """
    item.stash[LOOK] = last
    forget_early(item)
