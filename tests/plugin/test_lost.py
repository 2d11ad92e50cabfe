"""Claims that are lost: with a worker that dies, or with a file that cannot be collected."""

from __future__ import annotations

import json

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

HOLDS = "assert measures.exact_match(probe, language='en') > 0.5"
DIES = "import os; os._exit(9)"
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
# A worker that kills itself within a batch; which worker comes first to the batch of this number.
KILLED_ONCE = """
import os
import pathlib
import signal

from lengthprobe.asking import answering

answer = answering.answer


def pytest_collection_finish():
    def die_once(*args, **how):
        begun = len(list(pathlib.Path().glob("begun-*")))
        pathlib.Path(f"begun-{begun}-{os.getpid()}").touch()
        if begun + 1 >= BATCHES:
            try:
                pathlib.Path("killed").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return answer(*args, **how)

    answering.answer = die_once
"""
OPTIONS = ("--lengthprobe-json=out.json", "--lengthprobe-report=R")


def claims(*bodies: str) -> str:
    """A claim for each body."""
    return "\n\n".join(
        f"@pytest.mark.claim(source='paper {at}', languages=['en'])\n"
        f"def test_number_{at}(probe):\n    {body}\n"
        for at, body in enumerate(bodies)
    )


def reports(project) -> list[dict]:
    """The JSON of both outputs."""
    return [json.loads((project.path / path).read_text()) for path in ("out.json", "R/report.json")]


class TestWorker:
    """A worker that dies."""

    @pytest.mark.parametrize("args", [("--dist=load",), ("--dist=worksteal",)])
    def test_claim_that_it_ran_is_an_error_everywhere(self, project, monkeypatch, args):
        """With the claim's own name, source and language, and why; the others have been run."""
        step = project.path / "step"
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
        # With a fixture of its own, a claim runs in one worker alone.
        alone = claims(HOLDS, KILLED, HOLDS).replace("test_number_1(probe)", "test_number_1(probe, tmp_path)")
        project.claims(alone)

        result = project.pytester.runpytest_subprocess("-n", "2", *args, *OPTIONS)

        assert result.ret == ExitStatus.NOT_MEASURED
        for report in reports(project):
            (lost,) = [one for one in report["claims"] if one["verdict"] == "error"]
            assert (lost["claim"], lost["source"], lost["language"]) == ("number 1", "paper 1", "en")
            assert "crashed while running 'test_claims.py::test_number_1'" in lost["message"]
            assert (report["totals"]["holds"], report["totals"]["error"], report["missing"]) == (2, 1, [])
        texts = [(project.path / path).read_text() for path in ("R/index.html", "R/summary.md", "step")]
        for text in (*texts, result.stdout.str()):
            assert "crashed while running" in text.replace("\\", "")
            assert "All 2 claims hold" not in text
        assert "1 of 3 claims is without a verdict" in texts[1]

    def test_claim_that_kills_every_worker_leaves_no_claim_green(self, project):
        """Workers run each claim early, to plan questions, as a single process does."""
        project.claims(claims(HOLDS, KILLED, HOLDS))

        result = project.pytester.runpytest_subprocess("-n", "2", "--max-worker-restart=1", *OPTIONS)

        assert result.ret not in (pytest.ExitCode.OK, ExitStatus.UNDECIDED)
        for report in reports(project):
            assert "error" in {claim["verdict"] for claim in report["claims"]}
            assert report["totals"]["holds"] == 0

    @pytest.mark.parametrize("batches", [4])
    def test_worker_that_is_killed_while_it_asks_changes_no_figure(self, project, batches):
        """Its claim is an error, by name; the batch that it had begun is asked by another."""
        project.ini(lengthprobe_batch_size="4")
        lost_without = (
            "@pytest.mark.claim(about='mechanism', languages=['en'])\ndef test_heads(probe):\n"
            "    assert measures.control_without_random(probe, language='en') > 0.1\n"
        )
        project.claims(claims(HOLDS, HOLDS, HOLDS) + "\n\n" + lost_without)
        conftest = project.path / "conftest.py"
        conftest.write_text(KILLED_ONCE.replace("BATCHES", str(batches)))

        result = project.pytester.runpytest_subprocess("-n", "3", "--lengthprobe-json=out.json")

        killed = json.loads((project.path / "out.json").read_text())
        (lost,) = [one for one in killed["claims"] if one["verdict"] == "error"]
        assert result.ret == ExitStatus.NOT_MEASURED
        assert f"crashed while running '{lost['nodeid']}'" in lost["message"]
        assert killed["missing"] == []
        conftest.unlink()
        whole = {one["nodeid"]: one["checks"] for one in project.report()["claims"]}
        found = {one["nodeid"]: one["checks"] for one in killed["claims"] if one is not lost}
        assert found == {nodeid: whole[nodeid] for nodeid in found}
        assert len(whole) == len(found) + 1

    def test_each_worker_has_its_say(self, project):
        """With `--dist=each`, what one worker died of is not made good by another."""
        project.claims(
            claims(
                "import os\n    if os.environ['PYTEST_XDIST_WORKER'] == 'gw0':\n        os._exit(9)\n"
                f"    {HOLDS}"
            )
        )

        project.pytester.runpytest_subprocess("-n", "2", "--dist=each", *OPTIONS)

        assert [one["verdict"] for one in reports(project)[0]["claims"]] == ["error"]

    def test_claims_that_nobody_took_over_are_missing(self, project):
        """Where no worker may be replaced: they are named, though nothing was interrupted."""
        project.claims(claims(DIES, HOLDS, HOLDS))

        result = project.pytester.runpytest_subprocess("-n", "1", "--max-worker-restart=0", *OPTIONS)

        assert result.ret != pytest.ExitCode.OK
        report = reports(project)[0]
        assert report["collected"] == 3
        assert report["missing"] == ["test_claims.py::test_number_1", "test_claims.py::test_number_2"]
        assert [one["verdict"] for one in report["claims"]] == ["error"]
        assert "1 of 3 claims ran" in (project.path / "R" / "summary.md").read_text()

    def test_that_sees_no_folder_of_the_controllers_tells_by_its_reports(self, project):
        """As on another machine."""
        project.pytester.makeconftest(
            "import pytest\n\n\n@pytest.hookimpl(trylast=True)\ndef pytest_configure_node(node):\n"
            "    node.workerinput['lengthprobe_directory'] = '/nowhere'\n"
        )
        project.claims(claims(HOLDS, DIES, HOLDS))

        project.pytester.runpytest_subprocess("-n", "1", "--max-worker-restart=0", *OPTIONS)

        report = reports(project)[0]
        assert [one["verdict"] for one in report["claims"]] == ["holds", "error"]
        assert report["missing"] == ["test_claims.py::test_number_2"]

    def test_interrupted_session_names_what_is_missing(self, project):
        """`-x` with workers."""
        project.claims(claims(HOLDS.replace(">", "<"), *[HOLDS] * 5))

        result = project.pytester.runpytest_subprocess("-n", "1", "-x", *OPTIONS)

        report = reports(project)[0]
        assert result.ret == pytest.ExitCode.INTERRUPTED
        assert report["interrupted"] == "stopping after 1 failures"
        assert len(report["missing"]) + len(report["claims"]) == report["collected"] == 6
        assert report["missing"]

    def test_deselected_claims_are_counted(self, project):
        """Although the controller collects nothing."""
        project.claims(claims(HOLDS, HOLDS))

        project.pytester.runpytest_subprocess("-n", "1", "-k", "number_1", *OPTIONS)

        assert (reports(project)[0]["collected"], reports(project)[0]["deselected"]) == (1, 1)


class TestCollection:
    """A file that cannot be collected."""

    @pytest.fixture
    def project(self, project):
        """A project with one file that can, and one that cannot."""
        project.claims(claims(HOLDS))
        (project.path / "test_other.py").write_text("import nothing_of_this_name\n")
        return project

    @pytest.mark.parametrize("workers", [(), ("-n", "1")])
    def test_is_an_error_everywhere(self, project, workers):
        """Where the others run all the same."""
        result = project.pytester.runpytest_subprocess("--continue-on-collection-errors", *OPTIONS, *workers)

        assert result.ret == ExitStatus.NOT_MEASURED
        for report in reports(project):
            assert [one["verdict"] for one in report["claims"]] == ["holds", "error"]
            assert "No module named 'nothing_of_this_name'" in report["claims"][1]["message"]
        for path in ("R/index.html", "R/summary.md"):
            text = (project.path / path).read_text()
            assert "ot complete: 1 of 1 claim ran, 1 file could not be collected" in text
            assert "nothing_of_this_name" in text.replace("\\", "")
        result.stdout.fnmatch_lines(["error in 1 claim: test_other.py could not be collected: *"])

    def test_ends_a_session_that_does_not_go_on(self, project):
        """Whose claims are named."""
        project.pytester.runpytest_subprocess(*OPTIONS)

        report = reports(project)[0]
        assert report["missing"] == ["test_claims.py::test_number_0"]
        assert report["interrupted"] == "1 error during collection"
        assert "interrupted: 0 of 1 claim ran, 1 file could not be collected" in (
            (project.path / "R" / "summary.md").read_text()
        )

    def test_adds_nothing_to_a_project_that_asks_nothing_of_lengthprobe(self, project):
        """It is pytest's to tell."""
        for name in ("model", "languages", "budget", "cap", "store"):
            project.ini(**{f"lengthprobe_{name}": ""})
        (project.path / "test_claims.py").write_text("def test_it():\n    pass\n")

        project.run().stdout.no_fnmatch_line("*= claims =*")
