"""The files that a session leaves: one with all verdicts, and a folder with a page for people."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.plugin.options import stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(slots=True)
class Outputs:
    """Where a session writes, and what came of it.

    Args:
        json: The file that is to have all verdicts, None where none is asked for.
        report: The folder that is to have the page, None where none is asked for.
        written: A line for each thing that was written.
        problems: What could not be written, and what to do.
    """

    json: Path | None = None
    report: Path | None = None
    written: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def write(self, ledger: Callable[[], Mapping[str, Any]], portraits: Mapping[str, Any]) -> None:
        """Write what is asked for; each file is there whole or not at all.

        Args:
            ledger: Gives the session's ledger, as `Ledger.as_dict` does.
            portraits: What the figures need, by role.
        """
        if self.json is not None:
            from lengthprobe.reporting.files import write_whole

            try:
                # Numbers that JSON does not have are None by now; one that is not is a fault of ours.
                write_whole(self.json, json.dumps(ledger(), indent=2, allow_nan=False) + "\n")
                self.written.append(f"report: {self.json}")
            except OSError as error:
                self._failed(self.json, error, "name another file: --lengthprobe-json=FILE")
        if self.report is not None:
            self._write_report(self.report, ledger(), portraits)

    def _write_report(self, folder: Path, ledger: Mapping[str, Any], portraits: Mapping[str, Any]) -> None:
        try:
            # What draws is imported only now, and can be missing or broken.
            from lengthprobe.reporting.page import write_report

            self.written.append(f"page: {write_report(folder, ledger, portraits)}")
            self._append_summary(folder / "summary.md")
        except OSError as error:
            self._failed(folder, error, "name another folder: --lengthprobe-report=DIR")
        # A page is not worth the table of an hour's run, whatever is wrong with it.
        except Exception as error:
            self.problems.append(
                f"the page could not be made: {type(error).__name__}: {error}; "
                "the verdicts are in the table, and with --lengthprobe-json=FILE in a file"
            )

    def _failed(self, path: Path, error: OSError, otherwise: str) -> None:
        self.problems.append(
            f"the report could not be written to {path}: {error.strerror or error}; "
            f"free some room there, or {otherwise}"
        )

    def _append_summary(self, summary: Path) -> None:
        """Add the summary to the page of a job that GitHub runs."""
        page = os.environ.get(_STEP_SUMMARY)
        if not page:
            return
        text = summary.read_text(encoding="utf-8")
        try:
            with Path(page).open("a", encoding="utf-8") as file:
                file.write(f"\n{text}")
        except OSError as error:
            # Within a container the variable is often set and the file not there: no fault of a checkpoint's.
            self.written.append(
                f"the summary is in {summary} only: ${_STEP_SUMMARY} cannot be written: {error.strerror}"
            )


def read_outputs(config: pytest.Config) -> Outputs:
    """Where a session is to write, refused at once where that cannot be.

    A path on the command line starts from the working directory, one in the ini file from that file.

    Raises:
        pytest.UsageError: There is a folder in the place of a file, or the other way round, or no way there.
    """
    outputs = Outputs(_path(config, "json"), _path(config, "report"))
    if outputs.json is not None:
        text = f"--lengthprobe-json={stated(config, 'json')}"
        if outputs.json.is_dir():
            raise pytest.UsageError(f"{text}: that is a folder; name a file in it")
        if not outputs.json.parent.is_dir():
            raise pytest.UsageError(
                f"{text}: its folder does not exist\n  fix: mkdir -p {outputs.json.parent}"
            )
    if outputs.report is not None:
        text = f"--lengthprobe-report={stated(config, 'report')}"
        there = next(path for path in (outputs.report, *outputs.report.parents) if path.exists())
        if not there.is_dir():
            raise pytest.UsageError(
                f"{text}: {there} is a file\n  fix: name a folder, which is made: --lengthprobe-report=report"
            )
        if not os.access(there, os.W_OK | os.X_OK):
            raise pytest.UsageError(f"{text}: nothing may be written in {there}\n  fix: name another folder")
    return outputs


def _path(config: pytest.Config, name: str) -> Path | None:
    text = stated(config, name)
    if text is None:
        return None
    typed = config.getoption(f"lengthprobe_{name}") is not None
    start = config.invocation_params.dir if typed or config.inipath is None else config.inipath.parent
    return start / Path(text).expanduser()
