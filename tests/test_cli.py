"""The command line: `lengthprobe scan`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from lengthprobe import cli
from lengthprobe.components.names import MODES

ROOT = Path(__file__).parents[1]
SMALL = ("--prompts=4", "--top=2", "--sample=1", "--batch-size=32", "--device-map=cpu")
FILES = {"scan.answers.json", "scan.json", "scan.md", "effect_map.svg"}


@pytest.fixture
def scan(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a small scan, and returns its status and what it printed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            status = cli.main(["scan", *arguments])
        except SystemExit as left:
            status = int(left.code or 0)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_help_imports_neither_torch_nor_transformers() -> None:
    """Of the command and of the subcommand, it comes at once."""
    code = (
        "import sys\nfrom lengthprobe.cli import main\n"
        "for arguments in (['--help'], ['scan', '--help'], ['plan', '--help']):\n"
        "    try: main(arguments)\n"
        "    except SystemExit as left: assert not left.code\n"
        "assert not {'torch', 'transformers', 'numpy', 'matplotlib'} & set(sys.modules), sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--language" in done.stdout


def test_command_is_installed_by_name() -> None:
    """As `lengthprobe`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"lengthprobe": "lengthprobe.cli:main"}


def test_modes_are_those_of_ablation() -> None:
    """They are written out, since the help imports nothing."""
    assert cli.MODES == MODES


def test_table_is_printed(scan: Callable[..., tuple[int, str, str]]) -> None:
    """And nothing else: no bar where nobody looks."""
    status, out, err = scan("tiny-it", *SMALL)

    assert (status, err) == (0, "")
    assert "L4H0" in out
    assert "cost: " in out


def test_italian_is_asked_in_italian(scan: Callable[..., tuple[int, str, str]]) -> None:
    """tiny-it stops by its final MLP there."""
    _, out, _ = scan("tiny-it", "--language=it", *SMALL)
    assert "in it; " in out
    assert "MLP4" in out


def test_asks_as_it_is_told(scan: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Numbers of words, cap, form of the prompt, and whether it may think, are those of the options."""
    options = ("--lengths=3-4", "--cap=20", "--prompt-form=chat", "--counter=whitespace", "--thinking=allow")
    scan("tiny-it", *SMALL, *options, f"--report={tmp_path}")
    asked = json.loads((tmp_path / "scan.answers.json").read_text())["asked"]
    assert (asked["lengths"], asked["cap"]) == ([3, 4], 20)
    assert (asked["prompt_form"], asked["counter"], asked["thinking"]) == ("chat", "whitespace", "allow")


def test_report_is_written_and_gone_on_from(
    scan: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """A second scan into the same folder finds the same at no cost."""
    folder = tmp_path / "report"
    first = scan("tiny-it", *SMALL, f"--report={folder}")
    assert {path.name for path in folder.iterdir()} == FILES
    answers = (folder / "scan.answers.json").read_bytes()

    again = scan("tiny-it", *SMALL, f"--report={folder}")

    assert first == again
    assert first[1].endswith(f"report: {folder}\n")
    assert (folder / "scan.answers.json").read_bytes() == answers
    assert json.loads((folder / "scan.json").read_text())["model"]["name"] == "tiny-it"


class TestRefusals:
    """A line on stderr, status 2, no traceback, nothing written."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["no-such-model"], "no-such-model"),
            (["tiny-it", "--language=xx"], "xx"),
            (["tiny-it", "--top=0"], "--top 0: at least 1"),
            (
                ["tiny-it", "--mode=noise"],
                "--mode 'noise' is not known (fix: --mode=zero, or mean or resample)",
            ),
            (["tiny-it", "--dtype=int3"], "--dtype=auto, or float32, bfloat16 or float16"),
            (["tiny-it", "--prompts=100000"], "prompts on discovery topics"),
            (["tiny-it", "--prompt-form=speech"], "--prompt-form=auto, or chat or plain"),
            (["tiny-it", "--thinking=aloud"], "--thinking=allow, or off"),
            (["tiny-it", "--cap=0"], "--cap=100"),
            (["tiny-it", "--counter=mine"], "--counter=uax29, or whitespace, "),
            (["tiny-base", *SMALL], "tiny-base answers none of 4 prompts in 'en' exactly"),
        ],
    )
    def test_one_line(
        self, scan: Callable[..., tuple[int, str, str]], arguments: list[str], said: str
    ) -> None:
        """It names what is wrong, and what to type."""
        status, out, err = scan(*arguments)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        assert err.startswith("lengthprobe scan: ")
        assert said in err
        assert "--lengthprobe-" not in err

    @pytest.mark.parametrize(
        "option", ["--top=many", "--batch-size=few", "--batch-size=-1", "--lengths=9-3", "--nothing"]
    )
    def test_what_argparse_refuses(self, scan: Callable[..., tuple[int, str, str]], option: str) -> None:
        """In its own words, with the same status."""
        status, _, err = scan("tiny-it", option)
        assert status == 2
        assert option.partition("=")[0] in err

    def test_report_that_is_a_file(self, scan: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
        """Before anything is loaded."""
        (tmp_path / "report").write_text("mine")
        status, _, err = scan("tiny-it", f"--report={tmp_path / 'report'}")
        assert status == 2
        assert "is a file" in err
        assert (tmp_path / "report").read_text() == "mine"

    def test_another_checkpoint_s_folder(
        self, scan: Callable[..., tuple[int, str, str]], tmp_path: Path
    ) -> None:
        """Its answers stay as they are."""
        scan("tiny-it", *SMALL, f"--report={tmp_path}")
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        status, _, err = scan("tiny-it-2", *SMALL, f"--report={tmp_path}")
        assert status == 2
        assert "differs in weights" in err
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_interrupt_leaves_with_a_line(
    scan: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with the status that a shell gives it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lengthprobe.scan.command.scan", interrupted)
    said = "lengthprobe scan: interrupted; with --report=DIR, the same line goes on from what is kept there\n"
    assert scan("tiny-it", *SMALL) == (130, "", said)


def test_end_by_a_signal_is_said(
    scan: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM ends a scan in one line, with the status that a shell gives it; the handler is given back."""

    def ended(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("lengthprobe.scan.command.scan", ended)
    # The session that runs this test has a handler of its own.
    sessions = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        status, _, err = scan("tiny-it", *SMALL)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, sessions)
    assert (status, err.partition(";")[0]) == (143, "lengthprobe scan: interrupted by SIGTERM")


def test_bar_on_a_terminal(
    scan: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is done, and is gone at the end."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    status, _, err = scan("tiny-it", *SMALL)
    assert status == 0
    assert "forced: " in err
    assert "ablated: " in err


def test_cache_tells_what_is_kept_and_clears_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By checkpoint, by age, by size."""
    from lengthprobe.asking.store import Store

    store = Store(tmp_path, print)
    for name, size in (("step-1", 300_000), ("step-2", 500_000)):
        store.put(name, b"x" * size, name)
    store.close()

    def cache(*arguments: str) -> list[str]:
        assert cli.main(["cache", f"--store={tmp_path}", *arguments]) == 0
        return capsys.readouterr().out.splitlines()

    assert [line.split()[:4] for line in cache()[-2:]] == [
        ["step-2", "1", "0.5", "MB"],
        ["step-1", "1", "0.3", "MB"],
    ]
    assert cache("--clear", "--days=1")[0] == "removed: 0 batches"
    assert cache("--clear", "--megabytes=0.6")[0] == "removed: 1 batch"
    assert cache("--clear", "--checkpoint=step-1")[0] == "removed: 0 batches"
    assert cache("--clear") == ["removed: 1 batch", f"no answers are kept in {tmp_path / 'answers-1.sqlite'}"]


def test_plan_tells_what_each_claim_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """Of assumed rates: a table, the prompts for all claims, and a curve."""
    assert cli.main(["plan", "--exact=0.99", "--change=0.3", "--seconds=2"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("assumed: 99 % exact answers, 50 % of the misses in common; alpha 0.05")
    assert "exact_match_fall" in printed
    assert "150 topics, 150 prompts, 5 min" in printed
    assert "every claim holds after" in printed


def test_plan_loads_no_torch() -> None:
    """Nothing is asked."""
    code = (
        "import sys\nfrom lengthprobe.cli import main\nmain(['plan'])\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from=nowhere"], "lengthprobe plan: nowhere cannot be read"),
        (["--power=2"], "lengthprobe plan: power 2 is no chance between 0 and 1 (fix: --power=0.9)"),
        (["--exact=90"], "lengthprobe plan: exact 90 is no share from 0 to 1 (fix: --exact=0.9)"),
    ],
)
def test_plan_refuses_what_means_nothing(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """In one line, with status 2."""
    assert cli.main(["plan", *arguments]) == 2
    assert capsys.readouterr().err.startswith(message)
