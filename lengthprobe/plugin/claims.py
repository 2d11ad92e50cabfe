"""Claims: the outcome of each test with the marker `claim`."""

from __future__ import annotations

import inspect
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError
from lengthprobe.plugin.markers import (
    claim_kind,
    claim_languages,
    claim_subject,
    has_no_case,
    is_claim,
    language_of,
    marker_values,
)
from lengthprobe.plugin.outcome import has_state, is_missed, no_case, no_finding, no_verdict_message, outcome
from lengthprobe.plugin.verdicts import ASKED, is_running, never_asked, never_asked_after, says_otherwise
from lengthprobe.reporting.ledger import RED, Entry
from lengthprobe.statistics.check import Beside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from lengthprobe.statistics.check import Check
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.statistics.verdict import Verdict

# Words that are not written in small letters.
_WRITTEN = {"cwa": "CWA", "mlp": "MLP", "mlps": "MLPs", "italian": "Italian", "english": "English"}

_PACKAGE = Path(__file__).parents[1]

BESIDE = pytest.StashKey[list["Estimate"]]()
REPORTED = pytest.StashKey[list["Check"]]()
_PART_FAILED, _RED = pytest.StashKey[bool](), pytest.StashKey[bool]()


def hide_own_lines(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Shorten a traceback to the line where a claim made a mistake, without lengthprobe's lines below.

    Call this before pytest writes its report. A fault of lengthprobe's own, which no `raise` line raised,
    keeps its whole traceback. With `--full-trace` every error does.
    """
    error = call.excinfo
    if error is None or not is_claim(item) or item.config.getoption("fulltrace", False):
        return
    last = traceback.extract_tb(error.tb)[-1]
    if not (_PACKAGE in Path(last.filename).parents and (last.line or "").startswith("raise ")):
        return
    inside, caller = False, error.tb
    while caller.tb_next is not None:
        inside = inside or _path(caller) == item.path
        called = _path(caller.tb_next)
        if inside and _PACKAGE in called.parents and called != item.path:
            caller.tb_next = None
            return
        caller = caller.tb_next


def _path(entry: TracebackType) -> Path:
    return Path(entry.tb_frame.f_code.co_filename)


def judge(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> Entry | None:
    """The entry of a claim after one phase of its test, None while the outcome is open.

    The report is changed to agree: no traceback for an error of lengthprobe's with a message of its own, and
    a failure for a claim that decided nothing.
    """
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, LengthprobeError):
        report.longrepr = str(error)
    if not is_claim(item):
        return None
    if report.when != "call":
        return _around(item, report, error)
    verdicts = item.stash.get(ASKED, [])
    if is_running(item):
        item.stash[_PART_FAILED] = item.stash.get(_PART_FAILED, False) or report.failed
        _tell(item, call, report, verdicts)
        return None
    finding = claim_kind(item) == "finding"
    reported = item.stash.get(REPORTED, []) if finding else None
    unasked = [] if finding else never_asked(item)
    parts_failed = item.stash.get(_PART_FAILED, False)
    ended_in_a_comparison = error is None or isinstance(error, AssertionError)
    if ended_in_a_comparison and says_otherwise(item):
        return _without_assertion(item, report, "error", has_state(item.nodeid))
    verdict = outcome(verdicts, error, reported, unasked, parts_failed=parts_failed)
    asserted = reported is not None and verdicts and isinstance(error, AssertionError)
    if is_missed(verdict, error) or (verdict == "error" and asserted):
        ended = "ended well" if error is None else "skipped itself"
        message = (
            no_finding(item.nodeid, verdicts)
            if finding
            else no_verdict_message(item.nodeid, verdicts, unasked, ended)
        )
        return _without_assertion(item, report, verdict, message)
    _tell(item, call, report, verdicts)
    return entry_of(item, verdict, _message(report, error) if verdict in ("error", "skipped") else "", report)


def _around(item: pytest.Item, report: pytest.TestReport, error: BaseException | None) -> Entry | None:
    """The entry of a claim after the setup or the teardown of its test, None where nothing changes."""
    before = report.when == "setup"
    if before:
        item.stash[_PART_FAILED] = item.stash[_RED] = False
    if before and not report.failed and has_no_case(item):
        return _without_assertion(item, report, "error", no_case(item.nodeid))
    if before and report.passed:
        return None
    if not report.failed:
        # A skip takes back no verdict.
        missed = [one for one in item.stash.get(ASKED, []) if one.status != "holds"]
        unasked = [] if claim_kind(item) == "finding" else never_asked_after(item)
        if (missed or unasked) and not item.stash.get(_RED, False):
            ended = "skipped itself" if report.skipped else "ended well"
            message = no_verdict_message(item.nodeid, missed, unasked, ended)
            return _without_assertion(item, report, "error", message)
        if not before:
            return None
    return entry_of(item, "skipped" if report.skipped else "error", _message(report, error), report)


def status(
    report: pytest.TestReport, entry: Mapping[str, Any]
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Category, letter and word by which pytest shows a claim's report; None for pytest's own."""
    if (
        report.when == "call"
        and report.skipped
        and entry["waiver"] is not None
        and not entry["waiver"]["expired"]
    ):
        return "waived", "w", ("WAIVED", {"yellow": True})
    if report.when != "call" or hasattr(report, "wasxfail"):
        return None
    return {
        "broken": ("failed", "F", ("BROKEN", {"red": True})),
        "undecided": ("failed", "U", ("UNDECIDED", {"yellow": True})),
        "reported": ("passed", ".", ("REPORTED", {"cyan": True})),
        "error": ("error", "E", ("ERROR", {"red": True})),
    }.get(entry["verdict"])


def _without_assertion(item: pytest.Item, report: pytest.TestReport, verdict: str, message: str) -> Entry:
    """The entry of a red claim whose test ended well or skipped itself; the report becomes a failure."""
    if not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = message
    return entry_of(item, verdict, message, report)


def _tell(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, verdicts: list[Verdict]
) -> None:
    """Show in full the verdict that failed a test; pytest would shorten the verdict."""
    if not report.failed or not verdicts or item.config.getoption("fulltrace", False):
        return
    last, error = verdicts[-1], call.excinfo
    if error is None or not error.errisinstance(AssertionError) or last.status == "holds":
        return
    lines = [entry.lineno + 1 for entry in error.traceback if entry.path == item.path]
    place = f"{item.nodeid.split('::')[0]}:{lines[-1]}" if lines else item.nodeid
    report.longrepr = f"{statement(item)}\n\n{last}\n\n{place}: {last.status}"


def statement(item: pytest.Item) -> str:
    """The statement of a claim: the first paragraph of its docstring, or else its name."""
    text = inspect.getdoc(getattr(item, "function", None)) or phrase(item)
    return " ".join(text.split("\n\n")[0].split())


def phrase(item: pytest.Item) -> str:
    """The name of a test as words."""
    name = getattr(item, "originalname", None) or item.name
    words = str(name).removeprefix("test_").split("_")
    return " ".join(_WRITTEN.get(word, word) for word in words)


def _parameters(item: pytest.Item) -> str:
    """The parameters of a claim's test in brackets, where there are more than the language."""
    callspec = getattr(item, "callspec", None)
    return f" [{callspec.id}]" if callspec and set(callspec.params) - {"language"} else ""


def _message(report: pytest.TestReport, error: BaseException | None) -> str:
    if isinstance(error, LengthprobeError):
        return str(error)
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return f"{type(error).__name__}: {error}" if error else report.longreprtext


def entry_of(
    item: pytest.Item, verdict: str, message: str = "", report: pytest.TestReport | None = None
) -> Entry:
    """The entry of a claim in the report.

    Args:
        item: The test of the claim.
        verdict: The outcome, as `outcome` gives.
        message: Why there is no verdict.
        report: The report of the test, None where the test has not run.
    """
    said = marker_values(item)
    limits = claim_languages(item)
    language = language_of(item) or (limits[0] if len(limits) == 1 else None)
    item.stash[_RED] = verdict in RED
    return Entry(
        nodeid=item.nodeid,
        claim=phrase(item) + _parameters(item),
        statement=statement(item),
        source=str(said.get("source") or ""),
        kind=claim_kind(item),
        language=language,
        published=_published(said.get("published"), language),
        verdict=verdict,
        checks=(
            *(each.as_check() for each in item.stash.get(ASKED, [])),
            *item.stash.get(REPORTED, []),
        ),
        beside=tuple(Beside.of(each) for each in item.stash.get(BESIDE, [])),
        message=message,
        duration_s=round(report.duration, 6) if report else 0.0,
        about=claim_subject(item),
        expected=verdict in RED and hasattr(report, "wasxfail"),
    )


def _published(figures: object, language: str | None) -> str:
    if isinstance(figures, dict):
        figures = figures.get(language)
    return "" if figures is None else str(figures)
