"""The state of one pytest session: settings, checkpoints, and findings so far."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.plugin.against_reference import against_reference
from lengthprobe.plugin.claims import judge
from lengthprobe.plugin.collected import Collected, claims_of, hand_over, worker_leftovers
from lengthprobe.plugin.display_names import shown_name
from lengthprobe.plugin.exit_status import exit_status
from lengthprobe.plugin.github import annotate
from lengthprobe.plugin.junit import put_properties
from lengthprobe.plugin.lineage import lineage_option
from lengthprobe.plugin.markers import PROBES, claim_subject
from lengthprobe.plugin.options import is_in_use, name_in_role, option_value
from lengthprobe.plugin.outputs import SessionOutputs, read_outputs
from lengthprobe.plugin.saved_runs import check_names
from lengthprobe.plugin.saving import read_saving
from lengthprobe.plugin.selection import select
from lengthprobe.plugin.session_course import SessionCourse, deselected_lines, problems
from lengthprobe.plugin.shared_verdicts import SharedVerdicts
from lengthprobe.plugin.told_portraits import ToldPortraits
from lengthprobe.plugin.waivers import Waivers, read_waivers, today
from lengthprobe.reporting.ledger import ROLES, Entry, Ledger
from lengthprobe.termination import end_orderly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lengthprobe.margins import Margins
    from lengthprobe.plugin.drawings import Drawings
    from lengthprobe.plugin.github import Place
    from lengthprobe.plugin.probes import Probes
    from lengthprobe.plugin.saving import Saving
    from lengthprobe.plugin.shared_folder import SharedFolder
    from lengthprobe.plugin.workers import DealtDevices
    from lengthprobe.settings import Settings
    from lengthprobe.statistics.looks import PlannedLook

RUN = pytest.StashKey["Run"]()
# The look of a claim; None for a claim that is judged on the whole budget at once.
LOOK = pytest.StashKey["PlannedLook | None"]()
_DIRECTORY, _DEVICES, _TODAY = "lengthprobe_directory", "lengthprobe_devices", "lengthprobe_today"


class Run:
    """A session in a process: a single process, the controller of workers, or a worker.

    Args:
        config: The options of the session.

    Raises:
        pytest.UsageError: An option has a wrong value.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker: Mapping[str, Any] = getattr(config, "workerinput", {})
        self._shared: SharedFolder | None = None
        self._closing: list[Callable[[], None]] = []
        self._told: set[str] = set()
        self._told_collected = False
        self.ledger = Ledger()
        self.collected = Collected()
        self.course = SessionCourse()
        self._shared_verdicts = SharedVerdicts()
        self.problems: list[str] = []
        # Messages on problems that concern no claim, such as a damaged store.
        self.notes: list[str] = []
        self.outputs = SessionOutputs()
        self._places: dict[str, Place] = {}
        self._saving: Saving | None = None
        self._portraits = ToldPortraits()
        self.lineage_told: str | None = None
        # Seconds for a prompt a language at the last look; None where no claims were looked at together.
        self.seconds_a_prompt: float | None = None
        # A session that lasts beyond midnight has one day, on all its workers.
        self._today: str = self._worker.get(_TODAY) or today()
        self.waivers = Waivers()
        if is_in_use(config):
            # Settings are read before anything is collected, and only where somebody wants them.
            self.settings  # noqa: B018
            self.waivers = read_waivers(config, self._today)
            if not self._worker:
                self.outputs = read_outputs(config)
                self._saving = read_saving(config)
                self._closing.append(end_orderly())
            check_names(config, self.settings, self.names)
            self.lineage_told = lineage_option(config)
        if self._worker and is_in_use(config):
            from lengthprobe.plugin.workers import share_cores

            # Before torch is imported.
            share_cores(self._worker["workercount"], os.environ)
            os.environ.update(self._worker[_DEVICES])
            if self._directory is not None:
                from lengthprobe.plugin.shared_folder import watch

                self._closing.append(watch(self._directory))

    @cached_property
    def settings(self) -> Settings:
        """The settings, as the options state them."""
        from lengthprobe.plugin.asked import read_settings

        return read_settings(self._config)

    @property
    def looks(self) -> tuple[PlannedLook, ...]:
        """The looks at which claims are judged."""
        from lengthprobe.statistics.looks import planned_looks

        return planned_looks(self.settings)

    @cached_property
    def margins(self) -> Margins:
        """The margins of the claims."""
        from lengthprobe.plugin.asked import read_margins

        return read_margins(self._config)

    @cached_property
    def probes(self) -> Probes:
        """The probes of the session."""
        from lengthprobe.plugin.probes import Probes
        from lengthprobe.plugin.workers import SharedDirectory

        # The controller of workers finds their answers, where a run is saved.
        directory = self._shared.path if self._shared is not None else self._directory
        exchange = None if directory is None else SharedDirectory(directory)
        return Probes(self._config, self.settings, exchange)

    @cached_property
    def drawings(self) -> Drawings:
        """The numbers behind the figures of the report."""
        from lengthprobe.plugin.drawings import Drawings

        return Drawings(self.probes)

    @property
    def _directory(self) -> Path | None:
        """The folder through which workers share their work, None for a worker on another machine."""
        directory = Path(self._worker.get(_DIRECTORY, ""))
        return directory if _DIRECTORY in self._worker and directory.is_dir() else None

    @property
    def worker_number(self) -> int:
        """The number in the name of the worker, as 3 in `gw3`; 0 without workers."""
        return int("".join(filter(str.isdigit, self._worker.get("workerid", ""))) or 0)

    @property
    def workers(self) -> int:
        """The number of workers of the session, in a worker; 0 without workers."""
        return int(self._worker.get("workercount", 0))

    @property
    def is_lonely_worker(self) -> bool:
        """Whether the session is a worker that shares no work with the others."""
        return bool(self._worker) and self._directory is None

    def provide(self, workerinput: dict[str, Any]) -> None:
        """Tell a worker, before the start, the shared folder and the accelerators."""
        if self._shared is None:
            from lengthprobe.plugin.shared_folder import make_shared_folder

            self._shared = make_shared_folder()
            reporter = self._config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None and self._config.get_verbosity() >= 0:
                from lengthprobe.plugin.workers_progress import tell_of_workers

                self._closing.append(tell_of_workers(self._shared.path, reporter))
        workerinput[_DIRECTORY] = str(self._shared.path)
        workerinput[_TODAY] = self._today
        workerinput[_DEVICES] = self.dealt.take(workerinput["workerid"])

    @cached_property
    def dealt(self) -> DealtDevices:
        """The accelerators of the workers; none where no checkpoint is named.

        Raises:
            pytest.UsageError: The checkpoints do not fit.
        """
        from lengthprobe.plugin.device_groups import Groups, groups_of
        from lengthprobe.plugin.workers import DealtDevices

        if option_value(self._config, "model") is None:
            return DealtDevices(Groups())
        return DealtDevices(groups_of(self._config, self.settings, len(self._config.option.tx)))

    @property
    def _runs_nothing(self) -> bool:
        """Whether the session only lists tests or sets up fixtures, and runs no test."""
        option = self._config.option
        return bool(option.collectonly or option.setuponly or option.setupplan)

    def begin(self) -> None:
        """Keep other runs from writing to the session's files.

        Raises:
            pytest.UsageError: Another run writes to a file of the session at this moment, or the checkpoints
                do not fit the accelerators of the workers.
        """
        if not self._worker and not self._runs_nothing:
            if is_in_use(self._config) and getattr(self._config.option, "tx", None):
                self.dealt  # noqa: B018
            self.outputs.take()

    def refuse(self, error: pytest.UsageError, items: list[pytest.Item]) -> None:
        """Let a worker run nothing, and tell the controller why; raise the error in any other process.

        An error that a worker raises in its collection would end the controller with a traceback of xdist's.
        """
        if not self._worker:
            raise error
        items.clear()
        self.collected.refused = str(error)

    def choose(self, items: list[pytest.Item]) -> None:
        """Take the claims that nobody asked for out of the tests."""
        with self.course.own_choice():
            self.collected.selection = select(self._config, items)

    def collect(self, items: list[pytest.Item]) -> None:
        """Keep which claims are to run, and tell the controller."""
        self.collected.claims = claims_of(items)
        self.course.end_collection(items)
        last_failed = self._config.pluginmanager.get_plugin("lfplugin")
        self.collected.passed_over = getattr(last_failed, "_skipped_files", 0)
        self.collected.deselected = self.course.deselected
        if self._directory is not None:
            hand_over(self.collected, self._worker["workerid"], self._directory)

    def judge(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Write the outcome of a claim onto its report."""
        entry = judge(item, call, report)
        if entry is None:
            self.waivers.apply_to_part(item, call, report)
        if entry is not None and entry.verdict == "error":
            if entry.message in self._told:
                # One checkpoint that cannot be loaded is one story, not one for every claim.
                report.longrepr = f"{entry.message.splitlines()[0]} (as above)"
            self._told.add(entry.message)
        if entry is not None:
            entry = self.waivers.apply(entry, report)
            put_properties(item, report, entry)
            roles = [role for name, role in PROBES.items() if name in getattr(item, "fixturenames", ())]
            models = self.probes.identities(roles) if roles else {}
            drawn, look = has_figures(item), item.stash.get(LOOK, None)
            report.lengthprobe = {  # type: ignore[attr-defined]
                "entry": entry.as_dict(),
                "models": models,
                "portraits": self.drawings.new_portraits(roles) if drawn else {},
                "pieces": self.drawings.new_pieces(roles, entry.measured, look) if drawn else [],
                "against": against_reference(item, entry, self.probes.problems) if roles else {},
                "problems": self.probes.problems if roles else [],
                "notes": list(self.probes.notes),
            }
        if self._worker and self._directory is None and not self._told_collected:
            # Without a shared folder, a worker tells the controller by its reports only.
            self._told_collected = True
            report.lengthprobe_collected = self.collected.as_dict()  # type: ignore[attr-defined]

    def record(self, report: pytest.TestReport) -> None:
        """Keep the outcome of a claim, from the report of this process or of a worker."""
        if collected := getattr(report, "lengthprobe_collected", None):
            self.collected.add(collected)
        self._shared_verdicts.add(getattr(report, "lengthprobe_shared", ()))
        path, line, _ = report.location
        self._places.setdefault(report.nodeid, (path, None if line is None else line + 1))
        told = getattr(report, "lengthprobe", None)
        if told is None:
            self.course.note(report)
        else:
            self.ledger.record(Entry.from_dict(told["entry"]), told["models"], told["against"])
            self._portraits.add(told)
            self.problems += [problem for problem in told["problems"] if problem not in self.problems]
            # Several workers notice the same.
            self.notes += [note for note in told["notes"] if note not in self.notes]

    def finish(self, session: pytest.Session) -> None:
        """Write the report, and let a run fail that lost a claim or decided none."""
        if self._worker:
            self._config.workeroutput["lengthprobe"] = self.collected.as_dict()  # type: ignore[attr-defined]
            return
        if self._runs_nothing:
            return
        if self._shared is not None:
            for told in worker_leftovers(self._shared.path):
                self.collected.add(told)
        self.course.close(self.ledger, self.collected, session, in_use=is_in_use(self._config))
        if self.collected.refused:
            self.problems = [self.collected.refused]
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        self.problems += problems(self.ledger, session, pointless=self._is_pointless())
        self.problems += self._shared_verdicts.judge(self.ledger)
        if self._saving is not None:
            self._saving.save(self.outputs, self.ledger, self._as_dict, self.probes)
        self.outputs.write(self._as_dict, self._portraits.whole(), replaces=self.ledger.has_claims)
        self.problems += self.outputs.problems
        session.exitstatus = exit_status(
            session.exitstatus, self.ledger, self.course.without_verdict, has_problems=bool(self.problems)
        )
        if self.problems and not self._config.pluginmanager.has_plugin("terminalreporter"):
            sys.stderr.writelines(f"lengthprobe: {problem}\n" for problem in self.problems)
        annotate(self._config, self.ledger.entries.values(), self._places)

    def close(self) -> None:
        """Remove the workers' shared folder, and let other runs write to the session's files."""
        for close in self._closing:
            close()
        if "probes" in vars(self):
            self.probes.close()
        self.outputs.release()
        if self._shared is not None:
            self._shared.remove()

    @property
    def has_news(self) -> bool:
        """Whether the session has anything to tell at the end."""
        selected = self.collected.selection.lines()
        return bool(self.ledger.entries or self.problems or selected or self.outputs.written)

    @property
    def not_run(self) -> list[str]:
        """Lines on the claims left out, and how to run them."""
        left_out = deselected_lines(self.collected.deselected, self.collected.passed_over)
        return [*self.collected.selection.lines(), *left_out]

    @property
    def names(self) -> dict[str, str]:
        """The names of the named checkpoints, by role."""
        found = {role: name_in_role(self._config, role) for role in ROLES}
        return {role: name for role, name in found.items() if name is not None}

    @property
    def shown(self) -> dict[str, str]:
        """The display names of the named checkpoints, by role."""
        return {role: shown_name(self._config, name) for role, name in self.names.items()}

    def _is_pointless(self) -> bool:
        """Whether no claim was decided, although claims were there or a checkpoint was named."""
        asked = self._config.getoption("lengthprobe_model") is not None
        return (
            not self.ledger.decided
            and not self.ledger.only_found
            and (asked or self.collected.selection.claims > 0)
        )

    def _as_dict(self) -> dict[str, Any]:
        settings = asdict(self.settings) | {"margins": asdict(self.margins)}
        named = {role: {"name": name, "display_name": self.shown[role]} for role, name in self.names.items()}
        return self.ledger.as_dict(settings) | {
            "named": named,
            "not_run": self.not_run,
            "waivers": self.waivers.told(self.ledger),
            "seconds_a_prompt": self.seconds_a_prompt,
        }


def has_figures(item: pytest.Item) -> bool:
    """Whether the figures of a report show what a claim measures."""
    return claim_subject(item) == "mechanism" and option_value(item.config, "report") is not None
