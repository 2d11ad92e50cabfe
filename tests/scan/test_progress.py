"""Progress of a scan where no terminal looks."""

from __future__ import annotations

import pytest

from lengthprobe.scan.progress import lines_of, shown_progress


def test_a_line_a_period(capsys: pytest.CaptureFixture[str]) -> None:
    """At 0 s it starts; of calls at 10, 31, 40 and 62 s those that a period lies before are shown."""
    times = iter([0, 10, 31, 31, 40, 62, 62])
    progress = lines_of(lambda: next(times), period=30)
    for done in range(4):
        progress("ablated", done, 9)
    assert capsys.readouterr().err.splitlines() == [
        "lengthprobe scan: ablated: 1 of 9 rows",
        "lengthprobe scan: ablated: 3 of 9 rows",
    ]


def test_short_scan_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """A log of one that is done at once has its table alone."""
    shown_progress()("ablated", 1, 9)
    assert capsys.readouterr().err == ""
