"""--lengthprobe-report."""

from __future__ import annotations

import errno
import json
import os
from importlib import import_module
from pathlib import Path

import pytest

from lengthprobe.errors import ModelError
from lengthprobe.plugin.exit_status import ExitStatus

CLAIMS = """
@pytest.mark.claim
def test_behaviour(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.mark.claim(about="mechanism")
def test_mechanism(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_base(probe, base_probe):
    assert measures.exact_match(base_probe, language="en") < 0.5
"""
FIGURES = ["cwa_by_layer.svg", "cwa_by_length.svg", "head_map.svg", "one_response.svg"]


@pytest.fixture
def drawn(monkeypatch):
    """Of which checkpoints, in which languages, a portrait is drawn."""
    room = import_module("lengthprobe.portraits.attribution")
    asked = []
    portrait = room.portrait

    def draw(probe, languages):
        asked.append((probe.name, list(languages)))
        return portrait(probe, languages)

    monkeypatch.setattr(room, "portrait", draw)
    return asked


@pytest.fixture
def project(project):
    """A project with claims about behaviour and about the mechanism."""
    project.claims(CLAIMS)
    return project


def files(folder):
    """The files in a folder, by their paths in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class TestFolder:
    """What is in the folder."""

    def test_is_made_with_all_that_belongs_to_the_report(self, project):
        """The page, its figures, the verdicts, a summary; the path of the page is said at the end."""
        result = project.run("--lengthprobe-report=out/candidate", "--lengthprobe-json=report.json")

        assert result.ret == pytest.ExitCode.OK
        assert files(project.path / "out" / "candidate") == [
            *(f"figures/{figure}" for figure in FIGURES),
            *("index.html", "report.json", "summary.md"),
        ]
        result.stdout.fnmatch_lines(["report: *report.json", "page: *out/candidate/index.html"])
        candidate = json.loads((project.path / "out" / "candidate" / "report.json").read_text())
        assert candidate.pop("portraits")
        assert candidate == json.loads((project.path / "report.json").read_text())
        assert "test_behaviour" in (project.path / "report.json").read_text()

    def test_has_no_figure_where_no_claim_about_the_mechanism_was_asked(self, project, drawn):
        """Nor is any portrait drawn."""
        project.run("--lengthprobe-report=out", "-k", "behaviour")

        assert files(project.path / "out") == ["index.html", "report.json", "summary.md"]
        assert drawn == []

    def test_is_written_again(self, project):
        """What an earlier run left does not stand beside what this one found."""
        project.run("--lengthprobe-report=out")
        project.run("--lengthprobe-report=out", "-k", "behaviour")

        assert files(project.path / "out") == ["index.html", "report.json", "summary.md"]
        assert json.loads((project.path / "out" / "report.json").read_text())["totals"]["holds"] == 1

    def test_is_named_in_the_ini_file_too(self, project, monkeypatch):
        """A path there starts from that file, wherever pytest is run."""
        project.ini(lengthprobe_report="out")
        (project.path / "sub").mkdir()
        monkeypatch.chdir(project.path / "sub")

        project.run("..", "-k", "behaviour")

        assert (project.path / "out" / "index.html").is_file()

    def test_is_written_without_a_terminal_reporter(self, project):
        """The files do not hang on what is printed."""
        project.run("-p", "no:terminal", "--lengthprobe-report=out", "-k", "behaviour")

        assert (project.path / "out" / "index.html").is_file()

    def test_is_not_made_where_nothing_runs(self, project):
        """There is nothing to report."""
        project.run("--collect-only", "--lengthprobe-report=out")

        assert not (project.path / "out").exists()


class TestPortraits:
    """What the figures show travels with the reports of claims."""

    def test_are_drawn_once_of_each_checkpoint_that_such_a_claim_takes(self, project, drawn):
        """In the languages that its claims need."""
        project.run("--lengthprobe-report=out", "--lengthprobe-languages=it,en")

        assert drawn == [("tiny-it", ["it", "en"]), ("tiny-base", ["en"])]
        assert "tiny-base" in (project.path / "out" / "figures" / "cwa_by_layer.svg").read_text()

    def test_are_drawn_for_a_report_only(self, project, drawn):
        """They take a while, and a table shows nothing of them."""
        project.run()

        assert drawn == []

    def test_are_left_out_where_the_components_are_not_known(self, project, monkeypatch):
        """The claims that need them say so; the rest of the report is there."""

        def unknown(_probe, _languages):
            raise ModelError("no architecture is known", "use another")

        monkeypatch.setattr(import_module("lengthprobe.portraits.attribution"), "portrait", unknown)

        result = project.run("--lengthprobe-report=out")

        result.assert_outcomes(passed=3)
        assert files(project.path / "out") == ["index.html", "report.json", "summary.md"]

    def test_come_from_workers_to_the_controller(self, project):
        """The figures are those of a session without workers, and one worker alone draws each."""
        project.run("--lengthprobe-report=alone")
        project.pytester.makeconftest(
            "import importlib, pathlib\n\n"
            "room = importlib.import_module('lengthprobe.portraits.attribution')\n"
            "portrait = room.portrait\n\n\n"
            "def draw(probe, languages):\n"
            "    with pathlib.Path('drawn').open('a') as file:\n"
            "        file.write(probe.name + '\\n')\n"
            "    return portrait(probe, languages)\n\n\n"
            "room.portrait = draw\n"
        )

        result = project.pytester.runpytest_subprocess("-n", "2", "--lengthprobe-report=shared")

        result.assert_outcomes(passed=3)
        assert sorted((project.path / "drawn").read_text().split()) == ["tiny-base", "tiny-it"]
        for figure in FIGURES:
            alone, shared = (project.path / each / "figures" / figure for each in ("alone", "shared"))
            assert shared.read_bytes() == alone.read_bytes()


class TestNumberSwap:
    """What a figure shows of the number swap, which only some claims measure."""

    CLAIMS = """
@pytest.mark.claim(about="mechanism", languages=["en", "it"])
def test_first(probe):
    assert measures.cwa(probe, component="late heads", language="en") > 0


@pytest.mark.claim(about="mechanism", languages=["en", "it"])
def test_swap(probe):
    assert measures.number_swap(probe, component="late heads", language="en") > 0


@pytest.mark.claim(about="mechanism", languages=["it"])
def test_reference(probe, reference_probe):
    assert measures.number_swap(reference_probe, component="final MLP", language="it") > 0
"""

    @pytest.mark.parametrize("args", [(), ("-n", "2")])
    def test_is_of_what_was_measured(self, project, args):
        """Each checkpoint in the language of its claim; the same in one process and in several."""
        project.claims(self.CLAIMS)
        options = (
            "--lengthprobe-report=out",
            "--lengthprobe-reference=tiny-it-2",
            "--lengthprobe-languages=en,it",
        )

        result = project.pytester.runpytest_subprocess(*options, *args)

        result.assert_outcomes(passed=3)
        portraits = json.loads((project.path / "out" / "report.json").read_text())["portraits"]
        measured = {role: list(one["number_swap"]) for role, one in portraits.items()}
        assert measured == {"model": ["en"], "reference": ["it"]}
        assert (project.path / "out" / "figures" / "number_swap.svg").is_file()

    def test_costs_no_forward_pass(self, project, monkeypatch):
        """It is that of the claim: one for each batch of texts under their own and the other prompts."""
        from lengthprobe.attribution import forced as room

        passes = []
        force = room.attribute_forced
        monkeypatch.setattr(
            room, "attribute_forced", lambda *args, **options: passes.append(args) or force(*args, **options)
        )
        project.claims(self.CLAIMS)

        project.run("--lengthprobe-report=out", "--lengthprobe-languages=en,it", "-k", "first or swap")

        assert len(passes) == 1


class TestCauses:
    """What figures show of cutting components, which only some claims measure."""

    CLAIMS = """
@pytest.mark.claim(about="mechanism", languages=["en", "it"])
def test_cwa(probe, language):
    assert measures.cwa(probe, component="late heads", language="en") > 0


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_necessity(probe, language):
    without = measures.control_without(probe, language=language)
    assert measures.control_without_random(probe, language=language) - without > 0


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_sufficiency(probe, language):
    whole = measures.control(probe, language=language)
    assert measures.control_with_only(probe, language=language) > 0.5 * whole


@pytest.mark.claim(about="mechanism", languages=["en", "it"])
def test_specificity(probe):
    without = measures.control_without(probe, language="it", kind="heads", found_in="en")
    assert measures.control(probe, language="it") - without < 0.5


@pytest.mark.claim(kind="finding", about="mechanism", languages=["it"])
def test_faithfulness(probe, language, report):
    report(measures.faithfulness(probe, language=language))
"""
    OPTIONS = ("--lengthprobe-report=out", "--lengthprobe-languages=en,it", "-m", "requirement or finding")

    def portrait(self, project, *args, selected=()):
        """The portrait in the report of a run."""
        result = project.pytester.runpytest_subprocess(*self.OPTIONS, *args, *selected)
        assert result.ret == pytest.ExitCode.OK
        return json.loads((project.path / "out" / "report.json").read_text())["portraits"]["model"]

    def test_are_of_what_was_measured(self, project):
        """One claim's piece each, the same and in the same order in one process and in several."""
        project.claims(self.CLAIMS)

        alone, shared = self.portrait(project), self.portrait(project, "-n", "2")

        assert list(alone["causes"]) == ["en"]
        assert list(alone["causes"]["en"]) == ["heads"]
        assert list(alone["causes"]["en"]["heads"]) == ["elsewhere", "only", "random", "without"]
        assert list(alone["causes"]["en"]["heads"]["without"]["by_k"]) == ["1", "2", "4", "8"]
        assert list(alone["faithfulness"]) == ["it"]
        assert json.dumps(alone) == json.dumps(shared)
        assert {"causes.svg", "faithfulness.svg"} <= {
            path.name for path in (project.path / "out" / "figures").iterdir()
        }

    def test_are_not_measured_for_a_figure(self, project):
        """Where no claim cuts anything, nothing is cut."""
        project.claims(self.CLAIMS)

        some = self.portrait(project, selected=("-k", "cwa or sufficiency"))

        assert {kind: list(found) for kind, found in some["causes"]["en"].items()} == {"heads": ["only"]}
        assert some["faithfulness"] == {}

    @pytest.mark.parametrize(("args", "sizes"), [((), set()), (("--lengthprobe-report=out",), {(1, 2, 8)})])
    def test_curve_is_measured_for_a_report_only(self, project, monkeypatch, args, sizes):
        """A table shows nothing of it, and its answers cost time: those at other k than the claim's."""
        room = import_module("lengthprobe.portraits.causality")
        measure, asked = room.control_by_number, []

        def measured(probe, *, sizes, **how):
            asked.append(tuple(sizes))
            return measure(probe, sizes=sizes, **how)

        monkeypatch.setattr(room, "control_by_number", measured)
        project.claims(self.CLAIMS)

        project.run("-k", "necessity", *args)

        assert set(asked) == sizes


class TestStepSummary:
    """The page of a job that GitHub runs."""

    def test_has_the_summary(self, project, monkeypatch):
        """After what is there."""
        page = project.path / "step"
        page.write_text("before\n")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))

        project.run("--lengthprobe-report=out", "-k", "behaviour")

        assert page.read_text() == "before\n\n" + (project.path / "out" / "summary.md").read_text()

    def test_that_cannot_be_written_fails_no_checkpoint(self, project, monkeypatch):
        """As in a container that has the variable and not the file; it is said."""
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/nowhere/step")

        result = project.run("--lengthprobe-report=out", "-k", "behaviour")

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(["the summary is in *summary.md only: $GITHUB_STEP_SUMMARY cannot be*"])


class TestProblems:
    """Where the folder cannot be written."""

    @pytest.mark.parametrize("path", ["tox.ini", "tox.ini/out/deep"])
    def test_file_in_its_place_is_refused_at_the_start(self, project, path):
        """Before a model is loaded, not after an hour."""
        result = project.run(f"--lengthprobe-report={path}")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(
            [f"ERROR: --lengthprobe-report={path}: *tox.ini is a file", "*fix: name a folder*"]
        )

    def test_folder_that_may_not_be_written_is_refused_at_the_start(self, project, monkeypatch):
        """The message names the folder that lacks the right."""
        monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != project.path)

        result = project.run("--lengthprobe-report=out/deep")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(
            [f"ERROR: --lengthprobe-report=out/deep: nothing may be written in {project.path}"]
        )

    def test_files_of_somebody_else_s_are_refused_at_the_start(self, project):
        """All of them stay as they are; what the fix names can be typed."""
        (project.path / "site" / "figures").mkdir(parents=True)
        mine = [project.path / "site" / name for name in ("index.html", "summary.md", "figures/causes.svg")]
        for path in mine:
            path.write_text("mine")

        result = project.run("--lengthprobe-report=site", "-k", "behaviour")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(
            ["ERROR: --lengthprobe-report=*index.html was not written by lengthprobe*"]
        )
        assert [path.read_text() for path in mine] == ["mine"] * 3
        fix = result.stderr.str().partition("fix: another place: ")[2].split()[0]
        assert project.run(fix, "-k", "behaviour").ret == pytest.ExitCode.OK
        assert (project.path / "site-2" / "index.html").is_file()

    def test_run_into_the_same_folder_at_the_same_time_is_told(self, project):
        """Before it asks anything; the first is not disturbed."""
        project.claims(
            "import pathlib, subprocess, sys\n\n\n@pytest.mark.claim\ndef test_behaviour(probe):\n"
            "    if not pathlib.Path('other').exists():\n"
            "        command = [sys.executable, '-m', 'pytest', '--lengthprobe-report=out']\n"
            "        other = subprocess.run(command, capture_output=True, text=True)\n"
            "        pathlib.Path('other').write_text(f'{other.returncode} {other.stderr}')\n"
            "    assert measures.exact_match(probe, language='en') > 0.5\n"
        )

        result = project.run("--lengthprobe-report=out")

        other = (project.path / "other").read_text()
        assert other.startswith("4 ERROR: --lengthprobe-report=")
        assert "another run of lengthprobe writes there at this moment" in other
        assert result.ret == pytest.ExitCode.OK
        assert files(project.path / "out") == ["index.html", "report.json", "summary.md"]

    def test_full_disk_fails_the_run_and_leaves_no_half_file(self, project, monkeypatch):
        """What was there before stays; the message says what happened and what to do."""
        from lengthprobe.reporting import files as room

        def full(_handle):
            raise OSError(errno.ENOSPC, "No space left on device")

        page = project.path / "out" / "index.html"
        project.run("--lengthprobe-report=out", "-k", "behaviour")
        before = page.read_bytes()
        monkeypatch.setattr(room.os, "fsync", full)

        result = project.run("--lengthprobe-report=out", "-k", "behaviour")

        assert result.ret == ExitStatus.NOT_MEASURED
        result.stdout.fnmatch_lines(
            ["*could not be written to *out: No space left on device; free some room*-report=DIR"]
        )
        result.stdout.no_fnmatch_line("page: *")
        assert page.read_bytes() == before
        assert files(page.parent) == ["index.html", "report.json", "summary.md"]

    @pytest.mark.parametrize(
        ("room", "name", "said"),
        [
            (
                "portraits.attribution",
                "portrait",
                "tiny-it is not in every figure of the report: ZeroDivisionError: *",
            ),
            ("reporting.page", "page", "the page could not be made: ZeroDivisionError: *"),
        ],
    )
    def test_fault_in_what_draws_costs_no_verdict(self, project, monkeypatch, room, name, said):
        """The table is there, and the run fails and says what happened."""

        def fault(*_):
            return 1 / 0

        monkeypatch.setattr(import_module(f"lengthprobe.{room}"), name, fault)

        result = project.run("--lengthprobe-report=out", "-k", "mechanism")

        assert result.ret == ExitStatus.NOT_MEASURED
        result.stdout.fnmatch_lines(["1 holds, 0 broken, *", f"lengthprobe: {said}"])
