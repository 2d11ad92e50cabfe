"""What one pytest session knows: what it asks, of whom, and what it has found."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.plugin.claims import judge
from lengthprobe.plugin.lineage import told
from lengthprobe.plugin.markers import PROBES, about
from lengthprobe.plugin.options import in_use, named, stated
from lengthprobe.plugin.outputs import Outputs, read_outputs
from lengthprobe.plugin.selection import Selection
from lengthprobe.reporting.ledger import ROLES, Entry, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.margins import Margins
    from lengthprobe.plugin.probes import Probes
    from lengthprobe.settings import Settings

RUN = pytest.StashKey["Run"]()
# What only some claims measure of a checkpoint, in a portrait.
PIECES = ("number_swap", "causes", "faithfulness")
_DIRECTORY, _DEVICES = "lengthprobe_directory", "lengthprobe_devices"


class Run:
    """One session in one process: alone, as the controller of workers, or as one of them.

    Args:
        config: Its options.

    Raises:
        pytest.UsageError: An option has a value that cannot be used.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker: Mapping[str, Any] = getattr(config, "workerinput", {})
        self._shared = ""
        self._told: set[str] = set()
        self._places: dict[str, int] = {}
        self.ledger = Ledger()
        self.selection = Selection()
        self.problems: list[str] = []
        self.outputs = Outputs()
        self._portraits: dict[str, dict[str, Any]] = {}
        self._pieces: dict[tuple[str, ...], dict[str, Any]] = {}
        self.lineage_told: str | None = None
        if in_use(config):
            # Settings are read before anything is collected, and only where somebody wants them.
            self.settings  # noqa: B018
            if not self._worker:
                self.outputs = read_outputs(config)
            self._check_names()
            self.lineage_told = told(config)
        if self._worker and in_use(config):
            from lengthprobe.plugin.workers import share_cores, take_device

            share_cores(self._worker["workercount"], os.environ)
            if self._worker[_DEVICES]:
                take_device(self._worker["workerid"], self._worker[_DEVICES].split(","), os.environ)

    def _check_names(self) -> None:
        """Refuse a name that means nothing before anything runs, rather than once in every claim."""
        from lengthprobe.errors import LengthprobeError
        from lengthprobe.models.catalog import resolve

        for name in self.names.values():
            try:
                resolve(name)
            except LengthprobeError as error:
                raise pytest.UsageError(str(error)) from error

    @cached_property
    def settings(self) -> Settings:
        """What the options ask for."""
        from lengthprobe.plugin.asked import read_settings

        return read_settings(self._config)

    @cached_property
    def margins(self) -> Margins:
        """What claims are compared with."""
        from lengthprobe.plugin.asked import read_margins

        return read_margins(self._config)

    @cached_property
    def probes(self) -> Probes:
        """The checkpoints."""
        from lengthprobe.plugin.probes import Probes
        from lengthprobe.plugin.workers import Exchange

        directory = Path(self._worker.get(_DIRECTORY, ""))
        # A worker on another machine does not see the directory, and works for itself.
        shared = _DIRECTORY in self._worker and directory.is_dir()
        return Probes(self._config, self.settings, Exchange(directory) if shared else None)

    def provide(self, workerinput: dict[str, Any]) -> None:
        """Tell a worker, before it starts, where work is shared and which accelerators there are."""
        if not self._shared:
            self._shared = tempfile.mkdtemp(prefix="lengthprobe-")
        workerinput[_DIRECTORY] = self._shared
        workerinput[_DEVICES] = ",".join(self._devices)

    @cached_property
    def _devices(self) -> tuple[str, ...]:
        """The accelerators to deal out: none where no checkpoint is named, or a device is."""
        from lengthprobe.plugin.workers import visible_devices

        if stated(self._config, "model") is None or self.settings.device_map != "auto":
            return ()
        return visible_devices()

    def judge(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Write onto a report what became of a claim."""
        entry = judge(item, call, report)
        if entry is not None and entry.verdict == "error":
            if entry.message in self._told:
                # One checkpoint that cannot be loaded is one story, not one for every claim.
                report.longrepr = f"{entry.message.splitlines()[0]} (as above)"
            self._told.add(entry.message)
        if entry is not None:
            names = getattr(item, "fixturenames", ())
            roles = [role for name, role in PROBES.items() if name in names]
            models = self.probes.identities(roles) if roles else {}
            drawn = about(item) == "mechanism" and stated(self._config, "report") is not None
            report.lengthprobe = {  # type: ignore[attr-defined]
                "entry": asdict(entry),
                "models": models,
                "portraits": self.probes.new_portraits(roles) if drawn else {},
                "pieces": self.probes.new_pieces(roles, _said(entry)) if drawn else [],
                "problems": self.probes.problems if drawn else [],
                "place": item.session.items.index(item),
            }

    def record(self, report: pytest.TestReport) -> None:
        """Keep what became of a claim, from wherever its report came."""
        told = getattr(report, "lengthprobe", None)
        if told is not None:
            self._places[told["entry"]["nodeid"]] = told["place"]
            self.ledger.record(Entry(**told["entry"]), told["models"])
            self._portraits |= told["portraits"]
            self._pieces |= {tuple(place): piece for place, piece in told["pieces"]}
            self.problems += [problem for problem in told["problems"] if problem not in self.problems]

    def finish(self, session: pytest.Session) -> None:
        """End the session: write the report, and let the run fail if it decided nothing."""
        if self._worker:
            self._config.workeroutput["lengthprobe"] = self.selection.as_dict()  # type: ignore[attr-defined]
            return
        option = self._config.option
        if option.collectonly or option.setuponly or option.setupplan:
            return
        # Workers end in any order; a reader finds the claims as they stand in their files.
        self.ledger.arrange(self._places)
        if session.exitstatus != pytest.ExitCode.INTERRUPTED and self._is_pointless():
            self.problems.append("no claim was decided, so that this run says nothing about a checkpoint")
        self.outputs.write(self._as_dict, self._whole_portraits())
        self.problems += self.outputs.problems
        if self.problems and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.problems and not self._config.pluginmanager.has_plugin("terminalreporter"):
            sys.stderr.writelines(f"lengthprobe: {problem}\n" for problem in self.problems)

    def _whole_portraits(self) -> dict[str, dict[str, Any]]:
        """What the figures show, by role; in the same order whichever worker was first."""
        found = {role: portrait | {name: {} for name in PIECES} for role, portrait in self._portraits.items()}
        for (role, *folders, last), piece in sorted(self._pieces.items()):
            inside = found.get(role, {})
            for folder in folders:
                inside = inside.setdefault(folder, {})
            inside[last] = piece
        return found

    def close(self) -> None:
        """Remove what the workers shared."""
        if self._shared:
            shutil.rmtree(self._shared, ignore_errors=True)

    @property
    def has_news(self) -> bool:
        """Whether there is anything to say at the end."""
        return bool(self.ledger.entries or self.problems or self.selection.lines())

    @property
    def names(self) -> dict[str, str]:
        """What each checkpoint that was named is called, by role."""
        found = {role: named(self._config, role) for role in ROLES}
        return {role: name for role, name in found.items() if name is not None}

    def _is_pointless(self) -> bool:
        """Whether claims were to be decided, or a checkpoint was named for that, and none was."""
        asked = self._config.getoption("lengthprobe_model") is not None
        return not self.ledger.decided and not self.ledger.only_found and (asked or self.selection.claims > 0)

    def _as_dict(self) -> dict[str, Any]:
        settings = asdict(self.settings) | {"margins": asdict(self.margins)}
        return self.ledger.as_dict(settings) | {"not_run": self.selection.lines()}


def _said(entry: Entry) -> list[str]:
    """What a claim compared or reported."""
    return [check["expression"] for check in entry.checks]
