"""What pytest prints of a name that was typed, or of a checkpoint's own words, steers no terminal."""

from __future__ import annotations

import json
import shutil

import pytest

HOSTILE = "\x1b]0;owned\x07\u202e"


def printed(result):
    """All that was printed, without the colours of pytest's own."""
    return result.stdout.str() + result.stderr.str()


def clean(text):
    """Whether nothing in it steers a terminal."""
    return "\x1b" not in text and "\x07" not in text and "\u202e" not in text


@pytest.mark.parametrize("option", ["model", "lineage", "budget", "languages", "counter", "dtype", "lengths"])
def test_value_that_was_typed(project, option):
    """A usage error repeats it with escapes."""
    result = project.run(f"--lengthprobe-{option}={HOSTILE}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "owned" in result.stderr.str()
    assert clean(result.stderr.str())


def test_name_after_a_space(project, tmp_path):
    """The line to type has no control character either."""
    (tmp_path / HOSTILE).mkdir()

    result = project.run("--lengthprobe-model", str(tmp_path / HOSTILE))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert clean(result.stderr.str())


@pytest.fixture
def hostile(tmp_path, weights):
    """A checkpoint whose architecture is called so."""
    path = tmp_path / "hostile"
    shutil.copytree(weights("tiny-it"), path)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"architectures": [HOSTILE]}))
    return path


def test_checkpoint_under_test(project, hostile):
    """The claim is an error."""
    result = project.run(f"--lengthprobe-model={hostile}")

    result.assert_outcomes(errors=1)
    assert "owned" in printed(result)
    assert clean(printed(result))


def test_checkpoint_that_a_test_file_loads(project, hostile):
    """An error in collection has no traceback, and so no chain of the errors behind."""
    project.claims(f"import lengthprobe\nlengthprobe.load({str(hostile)!r}).responses('en')\n")

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*is no causal language model*", "  fix: *"])
    assert "Traceback" not in printed(result)
    assert clean(printed(result))
