"""Print what the installed plugin adds to `pytest --collect-only` in a project that does not use it.

    python benchmarks/collecting.py [--pairs 20]

Runs come in pairs, one with the plugin and one with `-p no:lengthprobe`, in turn first, compared by their
processor time: what else the machine does has little part in it. The goal is under 50 ms. That nothing heavy
is imported is checked on the way.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

GOAL_MS = 50
HEAVY = ("torch", "transformers", "scipy", "numpy")
TESTS = "\n\n".join(f"def test_{number}():\n    pass" for number in range(100))
CONFTEST = f"""
import sys

def pytest_sessionfinish():
    print("imported:", sorted(set({HEAVY!r}) & set(sys.modules)))
"""


def main() -> None:
    """Measure, check and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "test_unrelated.py").write_text(TESTS)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        os.environ.clear()
        # Bytecode is kept, as it is of what is installed, and kept out of the source tree.
        os.environ.update(environment, PYTHONPYCACHEPREFIX=str(project / "bytecode"))
        check_imports(project)
        for with_plugin in (True, False):
            collect(project, with_plugin=with_plugin)
        added = [milliseconds_added(project, first=pair % 2 == 0) for pair in range(pairs)]
    low, median, high = statistics.quantiles(added, n=4)
    print(f"the plugin adds {median:.0f} ms to collecting (quartiles {low:.0f} to {high:.0f}, {pairs} pairs)")
    print(f"goal: under {GOAL_MS} ms: {'reached' if median < GOAL_MS else 'missed'}")


def milliseconds_added(project: Path, *, first: bool) -> float:
    """How much more processor time collecting takes with the plugin, in one pair of runs.

    Args:
        project: Where to collect.
        first: Whether the run with the plugin comes first.
    """
    took = {with_plugin: collect(project, with_plugin=with_plugin) for with_plugin in (first, not first)}
    return 1000 * (took[True] - took[False])


def collect(project: Path, *, with_plugin: bool) -> float:
    """The processor time that collecting takes, in seconds."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command if with_plugin else [*command, "-p", "no:lengthprobe"],
        cwd=project,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def check_imports(project: Path) -> None:
    """Check that the plugin, with no other beside it, imports nothing heavy."""
    conftest = project / "conftest.py"
    conftest.write_text(CONFTEST)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-s", "-p", "lengthprobe.plugin"],
        cwd=project,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    conftest.unlink()
    assert "imported: []" in run.stdout, run.stdout
    print(f"collecting imports none of {', '.join(HEAVY)}")


if __name__ == "__main__":
    main()
