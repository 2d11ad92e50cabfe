"""Two conftests that add the same short option."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.option_clash import telling_clashes

CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("{option}", dest="{dest}")
"""


@pytest.fixture
def nested(project):
    """A project whose subfolder has a conftest that adds --model too."""
    project.pytester.makeconftest(CONFTEST.format(option="--model", dest="lengthprobe_model"))
    inner = project.path / "shop"
    inner.mkdir()
    (inner / "conftest.py").write_text(CONFTEST.format(option="--model", dest="lengthprobe_model"))
    (inner / "test_claims.py").write_text((project.path / "test_claims.py").read_text())
    (project.path / "test_claims.py").unlink()
    return inner


@pytest.mark.usefixtures("nested")
def test_short_option_that_is_added_twice_is_one_message(project):
    """It names both conftests and what to type, and has no traceback."""
    result = project.run("--model=tiny-it", "shop")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --model is added twice, by these files: conftest.py, shop/conftest.py",
            "*fix: take parser.addoption out of one of them; or, *: pytest --confcutdir=. --model=NAME",
        ]
    )
    assert "Traceback" not in result.stderr.str()


def test_line_that_is_named_mends_it(project, nested, monkeypatch):
    """From the folder of the one that is meant."""
    monkeypatch.chdir(nested)

    project.run("--confcutdir=.", "--model=tiny-it").assert_outcomes(passed=1)


def test_clash_of_other_options_is_left_to_pytest(pytestconfig):
    """It is none of lengthprobe's."""
    error = ValueError("option names {'--shop'} already added")
    with pytest.raises(ValueError, match="--shop"), telling_clashes(pytestconfig):
        raise error
