"""The output of a session: a file with all verdicts, and a folder with a page for people."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import ReportError
from lengthprobe.plugin.github import STEP_SUMMARY, add_summary
from lengthprobe.plugin.options import option_value
from lengthprobe.plugin.refusal import refusal
from lengthprobe.reporting.destination import Destination
from lengthprobe.reporting.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lengthprobe.portraits.portrait import Portrait


@dataclass(slots=True)
class SessionOutputs:
    """Places where a session writes, and the success of the writing.

    Args:
        json: The file for all verdicts, None where nobody asks for a file.
        report: The folder for the page, None where nobody asks for a folder.
        written: A line for each file or folder, written or left unchanged.
        problems: A message for each failure to write, with the next thing to do.
    """

    json: Destination | None = None
    report: Destination | None = None
    written: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def _destinations(self) -> list[Destination]:
        return [one for one in (self.json, self.report) if one is not None]

    def check(self) -> None:
        """Refuse places where files of somebody else's are.

        Raises:
            pytest.UsageError: There are foreign files; the message names a file, and another place.
        """
        self._each(Destination.check)

    def take(self) -> None:
        """Keep other runs from writing to the same places.

        Raises:
            pytest.UsageError: Another run writes there now, or there are files of somebody else's.
        """
        if self.json and self.report and _resolved(self.json)[0] == _resolved(self.report)[0]:
            # The report's folder has this file in any case, with more values.
            self.json = None
        self._each(Destination.take)

    def _each(self, act: Callable[[Destination], None]) -> None:
        for destination in self._destinations:
            try:
                act(destination)
            except ReportError as error:
                self.release()
                raise pytest.UsageError(str(error)) from error

    def release(self) -> None:
        """Let other runs write to the same places."""
        for destination in self._destinations:
            destination.release()

    def write(
        self,
        ledger: Callable[[], Mapping[str, Any]],
        portraits: Mapping[str, Portrait],
        *,
        replaces: bool = True,
    ) -> None:
        """Write the file and the folder that are asked for; each file is there whole or not at all.

        Args:
            ledger: Gives the session's ledger, as `Ledger.as_dict` does.
            portraits: The values for the figures, by role.
            replaces: Whether the ledger has claims, so that an earlier report may be replaced.
        """
        if self.json is not None and self._may_write(self.json, replaces):
            file = self.json.files[0]
            try:
                # NaN and infinity, which JSON lacks, are None by now; any left is lengthprobe's fault.
                write_whole(file, json.dumps(ledger(), indent=2, allow_nan=False) + "\n")
                self.written.append(f"report: {file}")
            except OSError as error:
                self._failed(file, error, "name another file: --lengthprobe-json=FILE")
        if self.report is not None and self._may_write(self.report, replaces):
            self._write_report(self.report.named, ledger(), portraits)
        if self.report is not None or replaces:
            self._append_summary(ledger())

    def _may_write(self, destination: Destination, replaces: bool) -> bool:
        if not replaces and destination.has_report:
            self.written.append(
                f"{destination.named} is left as it is: no claim ran that could replace the report there"
            )
            return False
        try:
            destination.ready()
        except ReportError as error:
            self.problems.append(str(error))
            return False
        return True

    def _write_report(
        self, folder: Path, ledger: Mapping[str, Any], portraits: Mapping[str, Portrait]
    ) -> None:
        try:
            # The drawing library is imported only now, and can be missing or broken.
            from lengthprobe.reporting.page import write_report

            self.written.append(f"page: {write_report(folder, ledger, portraits)}")
        except OSError as error:
            self._failed(folder, error, "name another folder: --lengthprobe-report=DIR")
        # No fault of the page is worth the table of an hour's run.
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

    def _append_summary(self, ledger: Mapping[str, Any]) -> None:
        """Add the summary to the page of a GitHub job, also where the folder is left unchanged."""
        if not os.environ.get(STEP_SUMMARY):
            return
        from lengthprobe.reporting.markdown import summary

        if why := add_summary(summary(ledger)):
            # Within a container the variable is often set and the file not there: no fault of a checkpoint's.
            where = "nowhere" if self.report is None else f"in {self.report.named / 'summary.md'} only"
            self.written.append(f"the summary is {where}: {why}")


def read_outputs(config: pytest.Config) -> SessionOutputs:
    """The places where a session is to write, refused at once where writing is impossible.

    A path on the command line is relative to the working directory. A path in the ini file is relative to
    the ini file.

    Raises:
        pytest.UsageError: There is a folder in the place of a file, or the other way round; or a folder on
            the way is missing or closed; or a file there is somebody else's.
    """
    file, folder = _path(config, "json"), _path(config, "report")
    if file is not None:
        text = f"--lengthprobe-json={option_value(config, 'json')}"
        if file.is_dir():
            raise refusal(f"{text}: that is a folder; name a file in it")
        if not file.parent.is_dir():
            raise refusal(f"{text}: its folder does not exist", f"mkdir -p {file.parent}")
    if folder is not None:
        text = f"--lengthprobe-report={option_value(config, 'report')}"
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not there.is_dir():
            raise refusal(
                f"{text}: {there} is a file", "name a folder, which is made: --lengthprobe-report=report"
            )
        if not os.access(there, os.W_OK | os.X_OK):
            raise refusal(f"{text}: nothing may be written in {there}", "name another folder")
    outputs = SessionOutputs(
        None if file is None else Destination((file,), None, "--lengthprobe-json"),
        None if folder is None else Destination(_files(folder), folder, "--lengthprobe-report"),
    )
    if outputs.json and outputs.report and _resolved(outputs.json)[0] in _resolved(outputs.report)[1:]:
        raise refusal(
            f"--lengthprobe-json={option_value(config, 'json')}: --lengthprobe-report writes this file too",
            "leave --lengthprobe-json away: the folder has the verdicts in report.json",
        )
    outputs.check()
    return outputs


def _resolved(destination: Destination) -> list[Path]:
    return [path.resolve() for path in destination.files]


def _files(folder: Path) -> tuple[Path, ...]:
    from lengthprobe.reporting.page import report_files

    return report_files(folder)


def _path(config: pytest.Config, name: str) -> Path | None:
    text = option_value(config, name)
    if text is None:
        return None
    typed = config.getoption(f"lengthprobe_{name}") is not None
    start = config.invocation_params.dir if typed or config.inipath is None else config.inipath.parent
    return start / Path(text).expanduser()
