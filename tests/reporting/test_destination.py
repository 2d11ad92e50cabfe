"""Where a run writes: over nobody else's files, and while no other run writes there."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lengthprobe.errors import ReportError
from lengthprobe.reporting.destination import Destination
from lengthprobe.reporting.page import report_files, write_report

OPTION = "--lengthprobe-report"


@pytest.fixture
def folder(tmp_path):
    """Return a function that gives a new destination in the same folder."""
    return lambda name="R": Destination(report_files(tmp_path / name), tmp_path / name, OPTION)


@pytest.fixture
def file(tmp_path):
    """Return a function that gives a new destination of the same file."""
    return lambda: Destination((tmp_path / "out.json",), None, "--lengthprobe-json")


def refused(act):
    """The error that something is refused with."""
    with pytest.raises(ReportError) as caught:
        act()
    return caught.value


class TestForeignFiles:
    """Files that lengthprobe did not write."""

    @pytest.mark.parametrize("name", ["index.html", "summary.md", "report.json", "figures/head_map.svg"])
    def test_are_refused_and_named_and_stay(self, folder, tmp_path, name):
        """Each alone is enough; the place that the fix names can be taken."""
        mine = tmp_path / "R" / name
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")

        error = refused(folder().take)

        assert str(mine) in error.problem
        assert error.fix == f"another place: {OPTION}={tmp_path / 'R-2'}"
        folder("R-2").take()
        assert mine.read_text() == "mine"
        assert not list((tmp_path / "R").glob(".*"))

    def test_beside_a_report_are_nobody_s_business(self, folder, tmp_path):
        """By names that no report has."""
        (tmp_path / "R" / "figures").mkdir(parents=True)
        for name in ("notes.txt", "figures/mine.svg", "scan.json"):
            (tmp_path / "R" / name).write_text("mine")

        folder().take()

    def test_in_place_of_the_folder_of_figures_are_refused(self, folder, tmp_path):
        """Before the run, and not after an hour."""
        (tmp_path / "R").mkdir()
        (tmp_path / "R" / "figures").write_text("mine")

        assert str(tmp_path / "R" / "figures") in refused(folder().take).problem

    @pytest.mark.parametrize("content", ["mine", '{"name": "my-package"}', "[]"])
    def test_in_place_of_a_file_are_refused(self, file, tmp_path, content):
        """Also where they are JSON."""
        (tmp_path / "out.json").write_text(content)

        error = refused(file().take)

        assert error.fix == f"another place: --lengthprobe-json={tmp_path / 'out-2.json'}"
        assert (tmp_path / "out.json").read_text() == content

    def test_that_come_during_the_run_are_refused_at_its_end(self, folder, tmp_path):
        """Whatever there was at the beginning."""
        destination = folder()
        destination.take()
        (tmp_path / "R" / "index.html").write_text("mine")

        assert "index.html was not written by lengthprobe" in refused(destination.ready).problem


class TestEarlierReport:
    """A report of an earlier run."""

    def test_can_be_replaced(self, folder, file, tmp_path, report, portrait):
        """It is lengthprobe's own."""
        write_report(tmp_path / "R", report(), {"model": portrait()})
        (tmp_path / "out.json").write_text(json.dumps(report()))

        for destination in (folder(), file()):
            destination.take()
            destination.ready()
            assert destination.has_report

    def test_that_another_wrote_meanwhile_is_left(self, folder, tmp_path, report):
        """As on a file system whose locks do not work."""
        destination = folder()
        destination.take()
        write_report(tmp_path / "R", report(), {})

        error = refused(destination.ready)

        assert "another has written there since this run began" in error.problem
        assert str(tmp_path / "R-2") in error.fix


class TestAnotherRun:
    """A run that writes to the same place at the same time."""

    @pytest.mark.parametrize("place", ["folder", "file"])
    def test_is_told(self, request, place):
        """And comes in when the first has ended."""
        make = request.getfixturevalue(place)
        first = make()
        first.take()

        assert "another run of lengthprobe writes there at this moment" in refused(make().take).problem
        first.release()
        make().take()

    def test_that_was_killed_blocks_nobody(self, folder, tmp_path):
        """Its lock is gone with it, although the file is there."""
        killed = (
            "import os, sys; from pathlib import Path\n"
            "from lengthprobe.reporting.destination import Destination\n"
            "from lengthprobe.reporting.page import report_files\n"
            "folder = Path(sys.argv[1])\nDestination(report_files(folder), folder, '').take()\nos._exit(9)\n"
        )
        run = [sys.executable, "-c", killed, str(tmp_path / "R")]
        assert subprocess.run(run, check=False).returncode == 9
        assert list((tmp_path / "R").iterdir())

        folder().take()


def test_nothing_is_left_of_a_place_that_was_taken_for_nothing(folder, file, tmp_path):
    """Neither a lock nor a folder that was not there."""
    for destination in (folder("a/b/R"), file()):
        destination.take()
        destination.release()

    assert list(tmp_path.iterdir()) == []


def test_folder_that_was_there_stays(folder, tmp_path):
    """Empty or not."""
    (tmp_path / "R").mkdir()
    destination = folder()
    destination.take()
    destination.release()

    assert list((tmp_path / "R").iterdir()) == []
