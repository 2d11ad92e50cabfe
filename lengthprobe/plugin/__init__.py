"""The hooks of the pytest plugin. The modules beside this file do the work."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError
from lengthprobe.plugin.claims import hide_own_lines, status
from lengthprobe.plugin.fixtures import (
    base_probe,
    language,
    margins,
    probe,
    reference_probe,
    report,
    show_beside,
)
from lengthprobe.plugin.markers import MARKERS, is_claim, is_own, language_parameters
from lengthprobe.plugin.options import add_options, may_be_ours, option_value
from lengthprobe.plugin.run import RUN, Run
from lengthprobe.plugin.selection import mark_claims
from lengthprobe.plugin.shared_verdicts import note_takers, verdict_notes
from lengthprobe.plugin.typed import refuse_untyped_flags, words
from lengthprobe.plugin.verdicts import forget, keep_verdicts, keep_verdicts_of_fixture
from lengthprobe.spelling import for_pytest, spell_settings

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

__all__ = ["base_probe", "language", "margins", "probe", "reference_probe", "report", "show_beside"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and from now on name settings by their options."""
    spell_settings(for_pytest)
    add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Refuse a command line by which pytest found another project, before a checkpoint's conftest is run.

    Once the conftests have added their options, explain those that are unknown still.
    """
    if not may_be_ours(args) and not early_config.getini("lengthprobe_model"):
        return (yield)
    from lengthprobe.plugin.startup import conftests_of_the_project
    from lengthprobe.plugin.unknown_options import explain_unknown

    with conftests_of_the_project(early_config, args, parser):
        result = yield
    explain_unknown(parser, words(args))
    return result


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folder of a checkpoint: a file there is no test of the project's."""
    from lengthprobe.plugin.startup import is_checkpoint

    return is_checkpoint(collection_path, config) or None


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and check the settings where there are any."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    refuse_untyped_flags(config)
    config.stash[RUN] = Run(config)
    config.pluginmanager.register(_Recorder(config.stash[RUN]), "lengthprobe-recorder")


class _Recorder:
    """Hooks to which pytest does not pass the config."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of a claim."""
        self._run.record(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the files that could not be collected."""
        self._run.course.note_collection(report)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count the claims left out by the caller."""
        self._run.course.deselect(items)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep the interruption of the session."""
        self._run.course.interrupt(excinfo.value)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep the internal error that ends the session before its time."""
        self._run.course.fail(excinfo.value)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the files that only the session needed."""
    if RUN in config.stash:
        config.stash[RUN].close()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Take the places where the session is to write."""
    session.config.stash[RUN].begin()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the checkpoints and the settings."""
    if option_value(config, "model") is None:
        return []
    from lengthprobe.plugin.summary import opening_lines

    return opening_lines(config.stash[RUN])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a claim with a `language` argument once for each language."""
    known = metafunc.definition._fixtureinfo.name2fixturedefs
    if not is_own(known.get("language", ())) or not is_claim(metafunc.definition):
        return
    own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize") if mark.args]
    names = {name.strip() for each in own for name in (each.split(",") if isinstance(each, str) else each)}
    if "language" not in names:
        asked = metafunc.config.stash[RUN].settings.languages
        metafunc.parametrize("language", language_parameters(metafunc.definition, asked))


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Mark claims by kind before `-m` chooses, and take out afterwards the claims nobody asked for."""
    note_takers(config, items)
    run = config.stash[RUN]
    try:
        if any(is_claim(item) for item in items):
            mark_claims(config, items, run.settings.languages)
        run.waivers.check(items, config)
    except pytest.UsageError as error:
        run.refuse(error, items)
    result = yield
    run.choose(items)
    return result


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Keep which claims there are before another plugin takes some away."""
    report = yield
    if collector.config.getoption("lf", False) and report.result:
        collector.config.stash[RUN].course.see(report.result)
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep which claims are to run."""
    session.config.stash[RUN].collect(session.items)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Keep every verdict asked for by a fixture."""
    return (yield from keep_verdicts_of_fixture(request, fixturedef))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Keep every verdict asked for during the setup of a claim's test."""
    if not is_claim(item):
        return (yield)
    forget(item)
    with keep_verdicts(item, "setup"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Keep every verdict that a claim makes or asks for."""
    if not is_claim(item):
        return (yield)
    from lengthprobe.plugin.unmarked import warn_of_unmarked

    with keep_verdicts(item, "call"), warn_of_unmarked(item, item.config.stash[RUN].probes):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Give a claim the probes of its look."""
    if is_claim(pyfuncitem):
        from lengthprobe.plugin.looking import look_at_alone

        look_at_alone(pyfuncitem)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Keep every verdict made, or asked for, after the test of a claim."""
    if not is_claim(item):
        return (yield)
    with keep_verdicts(item, "teardown"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write the outcome of a claim onto the report."""
    hide_own_lines(item, call)
    report = yield
    item.config.stash[RUN].judge(item, call, report)
    if report.when == "teardown" and (told := verdict_notes(item)):
        report.lengthprobe_shared = told  # type: ignore[attr-defined]
    return report


def pytest_exception_interact(
    node: pytest.Item | pytest.Collector,
    call: pytest.CallInfo[object],
    report: pytest.CollectReport | pytest.TestReport,
) -> None:
    """Show the message alone of a lengthprobe error in a test file, without a traceback, as for a test."""
    error = call.excinfo.value if call.excinfo else None
    full = node.config.getoption("fulltrace", False)
    if isinstance(report, pytest.CollectReport) and isinstance(error, LengthprobeError) and not full:
        report.longrepr = str(error)


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> Any:
    """Tell a broken claim from an undecided one and from an error."""
    told = getattr(report, "lengthprobe", None)
    return status(report, told["entry"]) if told else None


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a failed comparison of estimates in a test without the marker `claim`."""
    if "lengthprobe.statistics.comparable" not in sys.modules:
        return None
    from lengthprobe.statistics.comparable import explain

    return explain(op, left, right)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report, and let a run without any decided claim fail."""
    session.config.stash[RUN].finish(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the table of claims."""
    run = config.stash[RUN]
    if run.has_news:
        from lengthprobe.plugin.summary import write_summary

        write_summary(terminalreporter, run)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker the folder of the shared work."""
    node.config.stash[RUN].provide(node.workerinput)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Learn from a worker which claims are collected and which left out: the controller collects nothing."""
    run = node.config.stash[RUN]
    run.dealt.give_back(node.workerinput["workerid"])
    told = getattr(node, "workeroutput", {}).get("lengthprobe")
    if told:
        run.collected.add(told)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Generator[None, int, int]:
    """The number of groups of accelerators, where a checkpoint is named and the environment has no number.

    On a CPU, the number is xdist's own, and no more than the main memory holds.
    """
    count = yield
    if option_value(config, "model") is None or "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return count
    from lengthprobe.plugin.asked import read_settings
    from lengthprobe.plugin.device_groups import groups_of

    return groups_of(config, read_settings(config)).number(count)
