"""The wheel carries the suites and two fixture models, and works where the repository is not checked out."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_suites_languages_and_two_models(unpacked):
    """What a user needs is in the package; the regressed models and the tool's own tests are not."""
    package = unpacked / "lengthprobe"
    assert (package / "suites" / "behavior_tests" / "test_length.py").is_file()
    assert (package / "suites" / "mech_tests").is_dir()
    assert (package / "task" / "languages" / "it.toml").is_file()
    assert (package / "reporting" / "report.schema.json").is_file()
    templates = package / "reporting" / "templates"
    of_source = ROOT / "lengthprobe" / "reporting" / "templates"
    assert {path.name for path in templates.iterdir()} == {path.name for path in of_source.iterdir()}
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
