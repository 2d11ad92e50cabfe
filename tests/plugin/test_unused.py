"""A project that does not use lengthprobe notices nothing of it."""

from __future__ import annotations

import pytest

HEAVY = ("torch", "transformers", "scipy", "numpy", "tqdm", "tabulate", "filelock", "huggingface_hub")


@pytest.fixture
def unrelated(pytester, monkeypatch):
    """A project with its own markers, fixtures and options, some with the names of lengthprobe's."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\nmarkers =\n    claim: of an insurance\n")
    pytester.makeconftest(
        "import pytest\n\n\ndef pytest_addoption(parser):\n    parser.addoption('--model')\n\n\n"
        "@pytest.fixture\ndef language():\n    return 'Python'\n"
    )
    pytester.makepyfile(
        "import pytest\n\n\n@pytest.mark.claim\ndef test_insurance():\n    pass\n\n\n"
        "@pytest.mark.claim(kind='fire', of='language')\ndef test_language(language):\n"
        "    assert language == 'Python'\n\n\n"
        "def test_compare():\n    assert 1 > 2\n"
    )
    return pytester


def alone(monkeypatch):
    """Load no plugin that is not named: others that are installed import what they like."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def test_output_is_the_same_without_the_plugin(unrelated):
    """Not a line more or less, but for the list of plugins."""

    def output(*args):
        lines = unrelated.runpytest_subprocess("-p", "no:cacheprovider", *args).stdout.lines
        return [line for line in lines if not line.startswith(("plugins:", "=====", "rootdir:"))]

    assert output() == output("-p", "no:lengthprobe")


def test_collecting_imports_nothing_heavy(unrelated, monkeypatch):
    """Neither what computes nor what prints."""
    unrelated.makeconftest(
        "import sys\n\n\ndef pytest_addoption(parser):\n    parser.addoption('--model')\n\n\n"
        f"def pytest_sessionfinish():\n    print('imported:', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )

    alone(monkeypatch)

    result = unrelated.runpytest_subprocess("-p", "lengthprobe.plugin", "--collect-only", "-s")

    result.stdout.fnmatch_lines(["*imported: []*"])


def test_collecting_claims_imports_nothing_heavy(project, monkeypatch):
    """A project that uses the plugin, with its measures imported, collects as lightly."""
    project.pytester.makeconftest(
        "import sys\n\n\ndef pytest_sessionfinish():\n"
        f"    print('imported:', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )

    alone(monkeypatch)

    result = project.pytester.runpytest_subprocess("-p", "lengthprobe.plugin", "--collect-only", "-s")

    result.stdout.fnmatch_lines(["*<Function test_answers_are_exact*", "*imported: []*"])
    assert result.ret == pytest.ExitCode.OK


def test_workers_environment_is_as_it_was(unrelated, monkeypatch):
    """Neither threads nor accelerators are dealt out to workers that ask no model."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    unrelated.makepyfile(
        "import os\n\n\ndef test_environment():\n"
        "    assert 'OMP_NUM_THREADS' not in os.environ\n"
        "    assert os.environ['CUDA_VISIBLE_DEVICES'] == '0,1'\n"
    )

    unrelated.runpytest_subprocess("-n", "1").assert_outcomes(passed=1)


def test_works_without_xdist_and_without_the_terminal(unrelated):
    """Hooks of plugins that are not there are no error."""
    result = unrelated.runpytest_inprocess("-p", "no:xdist", "-p", "no:terminal", "-k", "language")

    assert result.ret == pytest.ExitCode.OK
