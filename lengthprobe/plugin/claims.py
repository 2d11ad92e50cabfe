"""Claims: what became of each test that is marked as one."""

from __future__ import annotations

import inspect
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError, Undecided
from lengthprobe.plugin.markers import about, is_claim, kind_of, language_of, limited_to, stated
from lengthprobe.reporting.ledger import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from lengthprobe.plugin.findings import Reported
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.statistics.verdict import Verdict

# Words that are not written in small letters.
_WRITTEN = {"cwa": "CWA", "mlp": "MLP", "mlps": "MLPs", "italian": "Italian", "english": "English"}

_PACKAGE = Path(__file__).parents[1]

VERDICTS = pytest.StashKey[list["Verdict"]]()
BESIDE = pytest.StashKey[list["Estimate"]]()
REPORTED = pytest.StashKey[list["Reported"]]()


def hide_own_lines(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Show where a claim made a mistake, and not the lines of lengthprobe that say which.

    To be called before pytest writes its report. A fault of lengthprobe's own, raised by no line that is
    meant to, keeps its whole traceback; and so does every error with `--full-trace`.
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
    """What became of a claim in one phase of its test, or None while that is open.

    Changes the report so that it says the same: no traceback for a cause that has a message of its own,
    a failure for a claim that decided nothing.
    """
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, LengthprobeError):
        report.longrepr = str(error)
    if not is_claim(item):
        return None
    if report.when != "call":
        if report.passed:
            return None
        return _entry(item, report, "skipped" if report.skipped else "error", _message(report, error))
    verdicts = item.stash.get(VERDICTS, [])
    reported = item.stash.get(REPORTED, []) if kind_of(item) == "finding" else None
    verdict = "skipped" if isinstance(error, pytest.skip.Exception) else outcome(verdicts, error, reported)
    asserted = reported is not None and verdicts and isinstance(error, AssertionError)
    if verdict == "error" and (error is None or asserted):
        return _without_verdict(item, report)
    _tell(item, call, report, verdicts)
    return _entry(item, report, verdict, _message(report, error) if verdict in ("error", "skipped") else "")


def outcome(
    verdicts: Sequence[Verdict], error: BaseException | None, reported: Sequence[Reported] | None = None
) -> str:
    """What a claim comes to: `holds`, `broken`, `undecided`, `reported` or `error`.

    Args:
        verdicts: Those whose truth its test asked for, in order.
        error: What ended the test, None where it ended well.
        reported: What it reported, where it is a finding.
    """
    if reported is not None:
        # One that asserts would be red on another checkpoint: that is an error on this one too.
        return "reported" if reported and not verdicts and error is None else "error"
    if isinstance(error, Undecided):
        return "undecided"
    if error is None:
        # A test that ends well after a broken verdict has not asserted it: no green comes of that.
        return "holds" if verdicts and verdicts[-1].status == "holds" else "error"
    failed = isinstance(error, (AssertionError, pytest.fail.Exception))
    return "broken" if failed and any(one.status == "broken" for one in verdicts) else "error"


def status(
    report: pytest.TestReport, entry: Mapping[str, Any]
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """How pytest is to show a claim's report: category, letter, and word; None for what it shows anyway."""
    if report.when != "call" or hasattr(report, "wasxfail"):
        return None
    return {
        "broken": ("failed", "F", ("BROKEN", {"red": True})),
        "undecided": ("failed", "U", ("UNDECIDED", {"yellow": True})),
        "reported": ("passed", ".", ("REPORTED", {"cyan": True})),
        "error": ("error", "E", ("ERROR", {"red": True})),
    }.get(entry["verdict"])


def _decided_nothing(item: pytest.Item) -> str:
    verdicts = item.stash.get(VERDICTS, [])
    why = "its test asked for the truth of no comparison"
    if verdicts:
        why = f"its test ended well, though {verdicts[-1].expression} is {verdicts[-1].status}"
    return (
        f"{item.nodeid}: the claim decided nothing: {why}\n"
        "  fix: assert the comparison that must hold, as in "
        "assert abs(measures.length_error(probe, language=language)) < 0.5"
    )


def _no_finding(item: pytest.Item) -> str:
    verdicts = item.stash.get(VERDICTS, [])
    if verdicts:
        return (
            f"{item.nodeid}: a finding is never red, and its test asks for the truth of "
            f"{verdicts[-1].expression}\n"
            "  fix: report(estimate, 'what it says') in its place, or a claim that can break: "
            "kind='replication'"
        )
    return (
        f"{item.nodeid}: the finding reported nothing\n"
        "  fix: take the fixture `report`, and report(measures.length_error(probe, language=language))"
    )


def _without_verdict(item: pytest.Item, report: pytest.TestReport) -> Entry:
    """The error that a claim is whose test is at fault, and no checkpoint."""
    message = _no_finding(item) if kind_of(item) == "finding" else _decided_nothing(item)
    if not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = message
    return _entry(item, report, "error", message)


def _tell(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, verdicts: list[Verdict]
) -> None:
    """Show the verdict that failed a test in full; pytest would cut it short."""
    if not report.failed or not verdicts or item.config.getoption("fulltrace", False):
        return
    last, error = verdicts[-1], call.excinfo
    if error is None or not error.errisinstance(AssertionError) or last.status == "holds":
        return
    lines = [entry.lineno + 1 for entry in error.traceback if entry.path == item.path]
    place = f"{item.nodeid.split('::')[0]}:{lines[-1]}" if lines else item.nodeid
    report.longrepr = f"{statement(item)}\n\n{last}\n\n{place}: {last.status}"


def statement(item: pytest.Item) -> str:
    """What a claim says: the first paragraph of its docstring, or else its name."""
    text = inspect.getdoc(getattr(item, "function", None)) or phrase(item)
    return " ".join(text.split("\n\n")[0].split())


def phrase(item: pytest.Item) -> str:
    """The name of a test as words."""
    name = getattr(item, "originalname", None) or item.name
    words = str(name).removeprefix("test_").split("_")
    return " ".join(_WRITTEN.get(word, word) for word in words)


def _parameters(item: pytest.Item) -> str:
    """What tells a claim's tests apart, where that is more than the language."""
    callspec = getattr(item, "callspec", None)
    return f" [{callspec.id}]" if callspec and set(callspec.params) - {"language"} else ""


def _message(report: pytest.TestReport, error: BaseException | None) -> str:
    if isinstance(error, LengthprobeError):
        return str(error)
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return f"{type(error).__name__}: {error}" if error else report.longreprtext


def _entry(item: pytest.Item, report: pytest.TestReport, verdict: str, message: str) -> Entry:
    said = stated(item)
    limits = limited_to(item)
    language = language_of(item) or (limits[0] if len(limits) == 1 else None)
    return Entry(
        nodeid=item.nodeid,
        claim=phrase(item) + _parameters(item),
        statement=statement(item),
        source=str(said.get("source") or ""),
        kind=kind_of(item),
        language=language,
        published=_published(said.get("published"), language),
        verdict=verdict,
        checks=[
            *(each.as_check() for each in item.stash.get(VERDICTS, [])),
            *(each.as_check() for each in item.stash.get(REPORTED, [])),
        ],
        beside=[_beside(each) for each in item.stash.get(BESIDE, [])],
        message=message,
        duration_s=round(report.duration, 6),
        about=about(item),
    )


def _published(figures: object, language: str | None) -> str:
    if isinstance(figures, dict):
        figures = figures.get(language)
    return "" if figures is None else str(figures)


def _beside(estimate: Estimate) -> dict[str, Any]:
    # Imported here, since it needs what an estimate needs.
    from lengthprobe.statistics.verdict import numbers_of

    return {"name": estimate.name} | numbers_of(estimate)
