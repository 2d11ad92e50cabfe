"""The repository in examples/downstream/, with the wheel in an environment of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
# Plugins of others take longer to import than the run lasts.
QUICKLY = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:jaxtyping", "-p", "no:typeguard")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The Python of a new environment with the wheel, which borrows what the wheel needs from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    inside = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [sys.executable, "-m", "pip", "--python", str(inside), "install", "--quiet", "--no-index"]
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    place = [str(inside), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(place, capture_output=True, text=True, check=True).stdout.strip()
    # A path alone: no editable install of this environment is followed.
    Path(packages, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return inside


@pytest.fixture
def run(tmp_path: Path, python: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs pytest in a copy of the repository, which knows no clone of lengthprobe."""
    home = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "downstream", home, ignore=shutil.ignore_patterns("__pycache__"))

    def pytest_there(*args: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-P", "-m", "pytest", *QUICKLY, "--lengthprobe-store=none", *args]
        environment = {"PATH": str(python.parent), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        environment["HOME"] = str(tmp_path)
        return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)

    return pytest_there


def test_package_is_the_installed_one(python: Path) -> None:
    """Otherwise the tests below would try the clone."""
    asked = [str(python), "-P", "-c", "import lengthprobe; print(lengthprobe.__file__)"]
    found = subprocess.run(asked, env={}, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(python.parent.parent)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_claims_of_the_repository_hold(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, workers: tuple[str, ...]
) -> None:
    """Beside an ordinary test; settings, margin and model are those of pyproject.toml."""
    ran = run("--lengthprobe-report=report", "--junitxml=junit.xml", *workers)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 passed" in ran.stdout
    assert "3 hold, 0 broken" in ran.stdout
    report = json.loads((tmp_path / "shop" / "report" / "report.json").read_text())
    assert report["settings"]["margins"]["length_error"] == 0.4
    assert [claim["claim"] for claim in report["claims"]] == [
        "Italian blurbs fit",
        "texts fit their box",
        "texts fit their box",
    ]


def test_finding_of_the_repository_reports(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """When asked for."""
    ran = run("-m", "finding")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "reported" in ran.stdout


def test_other_model_breaks_the_claims(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """A base model keeps to no length."""
    ran = run("--lengthprobe-model=tiny-base")

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "0 hold, 3 broken" in ran.stdout
