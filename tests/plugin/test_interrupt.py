"""Sessions that end before their time: what ran is reported as what ran, and what did not is named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

HOLDS = "assert measures.exact_match(probe, language='en') > 0.5"
BROKEN = "assert measures.exact_match(probe, language='en') < 0.1"
NAMES = ("first", "second", "third")


def claims(second: str = HOLDS, first: str = HOLDS) -> str:
    """Three claims; they take `request`, so that none is run before its turn."""
    bodies = zip(NAMES, (first, second, HOLDS), strict=True)
    return "\n\n".join(
        f"@pytest.mark.claim\ndef test_{name}(probe, request):\n    {body}\n" for name, body in bodies
    )


def node(name: str) -> str:
    """The id of a claim's test."""
    return f"test_claims.py::test_{name}"


def artefacts(project) -> dict[str, str]:
    """All that a run with every output has written."""
    paths = {"json": "out.json", "step": "step", **{name: f"R/{name}" for name in FILES}}
    return {name: (project.path / path).read_text() for name, path in paths.items()}


FILES = ("index.html", "summary.md", "report.json")
OPTIONS = ("--lengthprobe-json=out.json", "--lengthprobe-report=R")


@pytest.fixture
def step(project, monkeypatch):
    """The page of a job that GitHub runs."""
    path = project.path / "step"
    path.write_text("")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


@pytest.mark.usefixtures("step")
@pytest.mark.parametrize(
    ("second", "args", "ran", "reason"),
    [
        ("raise KeyboardInterrupt", (), 1, "KeyboardInterrupt"),
        ("pytest.exit('enough')", (), 1, "pytest.exit: enough"),
        ("pytest.exit('enough', returncode=0)", (), 1, "pytest.exit: enough"),
        (BROKEN, ("-x",), 2, "stopping after 1 failures"),
        (BROKEN, ("--maxfail=1",), 2, "stopping after 1 failures"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", (), 1, "Terminated: SIGTERM"),
    ],
)
def test_claims_that_did_not_run_are_named_everywhere(project, second, args, ran, reason):
    """In the table and in all that is written; nothing says that all hold; the status is never 0."""
    project.claims(claims(second))

    result = project.pytester.runpytest_subprocess(*OPTIONS, *args)

    assert result.ret != pytest.ExitCode.OK
    missing = [node(name) for name in NAMES[ran:]]
    written = artefacts(project)
    for name, text in {**written, "terminal": result.stdout.str()}.items():
        assert all(one in text for one in missing), name
        assert "all 1 claims hold" not in text.lower(), name
        assert "the one claim holds" not in text.lower(), name
    for name in ("index.html", "summary.md", "step"):
        assert f"interrupted: {ran} of 3 claims ran" in written[name].lower(), name
    for name in ("json", "report.json"):
        told = json.loads(written[name])
        assert (told["interrupted"], told["collected"], told["missing"]) == (reason, 3, missing)
        assert sum(told["totals"].values()) == 3
    result.stdout.fnmatch_lines(
        [
            f"missing: {3 - ran} of 3 claims: {reason}",
            f"  {missing[0]}",
            f"*, {3 - ran} missing",
            f"lengthprobe: interrupted: {ran} of 3 claims ran*",
        ]
    )


def test_checkpoint_is_named_though_no_claim_ended(project):
    """It was asked: title, summary and table name it, and none says that none was."""
    project.claims(claims(first="raise KeyboardInterrupt"))

    result = project.pytester.runpytest_subprocess(*OPTIONS, "--lengthprobe-model=tiny-it")

    for name in ("index.html", "summary.md"):
        text = (project.path / "R" / name).read_text()
        assert "o checkpoint was asked" not in text, name
        assert "interrupted: 0 of 3 claims ran" in text.lower(), name
        assert "tiny-it" in text, name
        assert "the run ended before any claim about it did" in text, name
    told = json.loads((project.path / "R" / "report.json").read_text())
    assert told["named"] == {"model": {"name": "tiny-it", "display_name": "tiny-it"}}
    result.stdout.fnmatch_lines(
        ["model      tiny-it: the run ended before any claim about it did", "settings   en; 16 prompts*"]
    )


def test_last_failure_interrupts_nothing(project):
    """`-x` at the last claim: all of them ran."""
    project.claims(claims().replace(HOLDS, BROKEN).replace(BROKEN, HOLDS, 2))

    report = project.report("-x")

    assert (report["interrupted"], report["missing"]) == (None, [])


def test_crash_in_a_plugin_names_what_did_not_run(project):
    """An error within pytest ends the session."""
    project.claims(claims())
    project.pytester.makeconftest(
        "def pytest_runtest_logstart(nodeid):\n    if 'second' in nodeid:\n        raise ZeroDivisionError\n"
    )

    result = project.pytester.runpytest_subprocess("--lengthprobe-json=out.json")

    report = json.loads((project.path / "out.json").read_text())
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert report["missing"] == [node("second"), node("third")]
    assert report["interrupted"].startswith("an internal error of pytest or of a plugin: ZeroDivisionError")


@pytest.mark.parametrize(("args", "left"), [(("-k", "first"), 2), (("--deselect", node("third")), 1)])
def test_deselected_claims_are_counted_and_not_missing(project, args, left):
    """They were asked for to be left out."""
    project.claims(claims())

    report = project.report(*args)

    assert (report["collected"], report["missing"], report["deselected"]) == (3 - left, [], left)
    plural = "claims" if left > 1 else "claim"
    assert report["not_run"] == [f"deselected: {left} {plural} (by -k, -m, --deselect, --lf or the like)"]
    assert project.run(*args).ret == pytest.ExitCode.OK


def test_last_failed_counts_the_others_as_deselected(project):
    """`--lf` runs the claim that failed."""
    project.claims(claims(BROKEN))
    project.run()

    report = project.report("--lf")

    assert ([one["nodeid"] for one in report["claims"]], report["deselected"]) == ([node("second")], 2)


class TestEarlierReport:
    """A good report is not replaced by an empty one."""

    @pytest.fixture
    def before(self, project):
        """What a good run has left."""
        project.claims(claims())
        project.run(*OPTIONS)
        return self.contents(project)

    def contents(self, project):
        """The files of the report."""
        return {
            path.relative_to(project.path): path.read_bytes()
            for path in [*(project.path / "R").rglob("*"), project.path / "out.json"]
        }

    @pytest.mark.usefixtures("step")
    @pytest.mark.parametrize(
        ("source", "args"),
        [
            (claims(first="raise KeyboardInterrupt"), ()),
            ("import nothing_of_this_name\n", ()),
            (claims(), ("-k", "nothing")),
            (claims(), ("-m", "finding")),
        ],
    )
    def test_stays_where_no_claim_ran(self, project, before, source, args):
        """Interrupted at once, not collected, or nothing asked: it is said, and the job's page is told."""
        project.claims(source)

        result = project.pytester.runpytest_subprocess(*OPTIONS, *args)

        assert result.ret != pytest.ExitCode.OK
        assert self.contents(project) == before
        result.stdout.fnmatch_lines(["*R is left as it is: no claim ran that could replace the report there"])
        assert "claims hold" not in (project.path / "step").read_text().partition("##")[2].partition("##")[2]

    @pytest.mark.usefixtures("before")
    def test_goes_where_some_claim_ran(self, project):
        """And the new one says that it is not whole."""
        project.claims(claims("raise KeyboardInterrupt"))

        project.pytester.runpytest_subprocess(*OPTIONS)

        assert "interrupted: 1 of 3 claims ran" in (project.path / "R" / "summary.md").read_text()


def test_first_report_of_a_run_without_a_claim_names_all(project):
    """Where no report is there yet, an empty one says more than none."""
    project.pytester.makeconftest(
        "from lengthprobe.asking import answering\n\n\ndef stop(*_, **__):\n    raise KeyboardInterrupt\n\n\n"
        "def pytest_collection_finish():\n    answering.answer = stop\n"
    )

    result = project.pytester.runpytest_subprocess("--lengthprobe-json=out.json")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    report = json.loads((project.path / "out.json").read_text())
    assert report["claims"] == []
    assert report["missing"] == ["test_claims.py::test_answers_are_exact[en]"]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_sigterm_writes_the_report_and_leaves_nothing_behind(project, monkeypatch, tmp_path, workers):
    """As Ctrl-C does: neither a folder of the workers nor a lock is left."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    flag = tmp_path / "flag"
    project.claims(
        claims(second=f"import pathlib, time; pathlib.Path({str(flag)!r}).touch(); time.sleep(60)")
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--lengthprobe-report=R", *workers]
    # A handler that a shell's `&` has set aside would be passed on.
    session = subprocess.Popen(
        command, cwd=project.path, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    limit = time.monotonic() + 60
    while not flag.exists() and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(1)
    os.kill(session.pid, signal.SIGTERM)
    out, _ = session.communicate(timeout=60)

    assert session.returncode == pytest.ExitCode.INTERRUPTED
    assert "Terminated: SIGTERM" in out
    assert node("second") in json.loads((project.path / "R" / "report.json").read_text())["missing"]
    assert list(tmp_path.glob("*lengthprobe-*")) == []
    assert list((project.path / "R").glob(".*")) == []
