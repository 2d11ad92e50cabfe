"""The commands on saved runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lengthprobe import cli


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a command, and returns its status and what it printed."""

    def command(*arguments: str, runs: Path = folder) -> tuple[int, str, str]:
        status = cli.main([*arguments, f"--runs={runs}"])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


@pytest.mark.parametrize(
    "arguments", [["runs"], ["show", "approved"], ["compare", "step", "approved"], ["rm", "approved"]]
)
def test_no_command_imports_torch(arguments: list[str], folder: Path, tmp_path: Path) -> None:
    """They work on a machine without a model."""
    copy = shutil.copytree(folder, tmp_path / "runs")
    code = (
        "import sys\nfrom lengthprobe import cli\n"
        f"status = cli.main({[*arguments, f'--runs={copy}']!r})\n"
        "assert status in (0, 1), status\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_list(run: Callable[..., tuple[int, str, str]]) -> None:
    """A row for each run."""
    status, out, err = run("runs")
    rows = [line.split() for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [row[:2] for row in rows[4:]] == [
        ["approved", "tiny-it"],
        ["short", "two-short"],
        ["step", "tiny-it-2"],
    ]
    assert rows[4][3:7] == ["40", "en,", "40", "it"]


def test_list_of_none(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """The folder is named."""
    assert run("runs", runs=tmp_path) == (0, f"no runs are saved in {tmp_path}\n", "")


def test_damaged_run_is_listed(
    run: Callable[..., tuple[int, str, str]], folder: Path, tmp_path: Path
) -> None:
    """With the damage below; the others are listed as ever."""
    runs = Path(shutil.copytree(folder, tmp_path / "runs"))
    (runs / "step" / "run.json").write_text("{")
    _, out, _ = run("runs", runs=runs)
    assert "step      damaged" in out
    assert "the saved run step is damaged" in out
    assert "approved  tiny-it" in out


def test_show(run: Callable[..., tuple[int, str, str]]) -> None:
    """The checkpoint and the settings; a path works as a name does."""
    status, out, _ = run("show", "approved")
    assert status == 0
    assert "40 answers in en with attributions" in out
    assert "model      tiny-it: LlamaForCausalLM" in out
    assert "en, it; 40 prompts a language" in out


def test_compare(run: Callable[..., tuple[int, str, str]]) -> None:
    """Verdicts, and then the changed answers; the status says whether every claim holds."""
    status, out, _ = run("compare", "short", "approved", "--answers=2")
    assert status == 1
    assert "exact match has not fallen          en          broken" in out
    assert len(re.findall(r"^  asked \d", out, re.MULTILINE)) == 4
    status, out, _ = run("compare", "approved", "approved", "--margin=exact_match_fall=0.2", "--languages=en")
    assert "> -20 %" in out
    assert "margins    exact_match_fall 0.2 (not the default)" in out
    assert "en: 0 of 40 answers differ" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "aproved"], "no run is saved as aproved: "),
        (["show", "aproved"], "did you mean approved?"),
        (["show", "a b"], "is no name of a run"),
        (["compare", "approved", "nowhere"], "no run is saved as nowhere"),
        (["compare", "short", "approved", "--budget=99"], "(fix: --budget=30)"),
        (["compare", "short", "approved", "--margin=exact=1"], "no margin is called 'exact'"),
        (["rm", "approved", "nowhere"], "no run is saved as nowhere"),
    ],
)
def test_refusals(
    arguments: list[str], told: str, run: Callable[..., tuple[int, str, str]], folder: Path
) -> None:
    """On one line, with status 2; nothing is removed."""
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
    assert (folder / "approved").is_dir()


def test_rm(run: Callable[..., tuple[int, str, str]], folder: Path, tmp_path: Path) -> None:
    """The named runs alone."""
    runs = Path(shutil.copytree(folder, tmp_path / "runs"))
    status, out, _ = run("rm", "step", "short", runs=runs)
    assert (status, out) == (0, f"removed: {runs / 'step'}\nremoved: {runs / 'short'}\n")
    assert [path.name for path in runs.iterdir()] == ["approved"]


def test_text_of_a_run_steers_no_terminal(
    run: Callable[..., tuple[int, str, str]], folder: Path, tmp_path: Path
) -> None:
    """A run may come from anybody."""
    runs = Path(shutil.copytree(folder, tmp_path / "runs"))
    file = runs / "step" / "run.json"
    file.write_text(file.read_text().replace('"LlamaForCausalLM"', '"Llama\\u001b[31m\\u202eForCausalLM"'))
    for arguments in (["runs"], ["show", "step"], ["compare", "step", "approved"]):
        _, out, err = run(*arguments, runs=runs)
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err


def test_reader_may_leave_early(folder: Path) -> None:
    """As `head` does."""
    command = f"{sys.executable} -m lengthprobe.cli show approved --runs={folder} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("run        approved: saved")
    assert done.stderr == ""
