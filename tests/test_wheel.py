"""The wheel carries the suites and two fixture models, and works where the repository is not checked out."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The wheel's contents in a folder, as an installer lays them out."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", build], cwd=ROOT, capture_output=True, text=True, check=True
    )
    site = folder / "site"
    with zipfile.ZipFile(folder / built.stdout.split()[-1]) as wheel:
        wheel.extractall(site)
    return site


def test_the_wheel_holds_suites_languages_and_two_models(unpacked):
    """What a user needs is in the package; the regressed models and the tool's own tests are not."""
    package = unpacked / "lengthprobe"
    assert (package / "suites" / "behavior_tests" / "test_length.py").is_file()
    assert (package / "suites" / "mech_tests").is_dir()
    assert (package / "task" / "languages" / "it.toml").is_file()
    templates = package / "reporting" / "templates"
    assert {path.name for path in templates.iterdir()} == {"index.html.jinja", "style.css"}
    assert {path.name for path in (package / "fixture_models").iterdir()} == {"tiny-base", "tiny-it"}
    assert {path.name for path in unpacked.iterdir()} == {
        "lengthprobe",
        next(path.name for path in unpacked.glob("*.dist-info")),
    }


def test_the_suites_run_from_the_wheel(unpacked, tmp_path):
    """`pytest --pyargs lengthprobe.suites` judges a fixture model from a folder that knows no repository."""
    command = [
        sys.executable, "-m", "pytest", "--pyargs", "lengthprobe.suites", "--lengthprobe-model=tiny-it",
        "--lengthprobe-store=none",
        "-p", "no:cacheprovider", "-k", "exact",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 hold, 0 broken" in ran.stdout
    assert str(ROOT) not in ran.stdout
