"""A checkpoint's folder is no source of code: neither its conftest nor its tests are run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CONFTEST = """
def pytest_addoption(parser):
    for name in ("model", "base", "reference"):
        parser.addoption(f"--{name}", dest=f"lengthprobe_{name}")
"""


@pytest.fixture
def mark(tmp_path):
    """The file that the checkpoint's code makes when it is run."""
    return tmp_path / "was-run"


@pytest.fixture
def booby_trap(mark):
    """Return a function that puts a conftest and a test into a folder, each of which leaves the mark."""

    def trap(folder: Path, *, inside: str = "") -> Path:
        place = folder / inside
        place.mkdir(parents=True, exist_ok=True)
        code = f"import pathlib\npathlib.Path({str(mark)!r}).touch()\n"
        (place / "conftest.py").write_text(code)
        (place / "test_brought_along.py").write_text(f"{code}\ndef test_it():\n    pass\n")
        return folder

    return trap


@pytest.fixture
def checkpoint(tmp_path, weights, booby_trap):
    """A checkpoint outside the project that brings code along."""
    path = tmp_path / "elsewhere" / "ckpt"
    shutil.copytree(weights("tiny-it"), path)
    return booby_trap(path)


class TestAfterASpace:
    """A path after a space, which pytest takes for a test path."""

    @pytest.mark.parametrize("option", ["--model", "--base", "--reference", "--lengthprobe-model"])
    def test_its_conftest_is_not_run(self, project, checkpoint, mark, option):
        """The refusal comes first."""
        project.pytester.makeconftest(CONFTEST)

        result = project.run(option, str(checkpoint))

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"*fix: write an equals sign*{option}={checkpoint}"])
        assert not mark.exists()

    @pytest.mark.parametrize("option", ["--model", "--lengthprobe-mod", "--lengthprobe-models"])
    def test_nor_where_nobody_knows_the_option(self, project, checkpoint, mark, option):
        """Pytest itself refuses an option that is unknown."""
        result = project.run(option, str(checkpoint))

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert not mark.exists()

    def test_nor_beside_a_test_path(self, project, checkpoint, mark):
        """Then the command line is understood, and the checkpoint is asked."""
        project.pytester.makeconftest(CONFTEST)

        result = project.run("--model", str(checkpoint), "test_claims.py")

        result.assert_outcomes(passed=1)
        assert not mark.exists()

    def test_nor_as_a_path_object(self, project, checkpoint, mark):
        """`pytest.main` takes paths too."""
        project.pytester.makeconftest(CONFTEST)

        result = project.run("--model", checkpoint, "test_claims.py")

        result.assert_outcomes(passed=1)
        assert not mark.exists()

    def test_nor_from_addopts_of_the_environment(self, project, checkpoint, mark, monkeypatch):
        """PYTEST_ADDOPTS is part of the command line."""
        project.pytester.makeconftest(CONFTEST)
        monkeypatch.setenv("PYTEST_ADDOPTS", f"--model {checkpoint}")

        assert project.run("--collect-only").ret == pytest.ExitCode.USAGE_ERROR
        assert not mark.exists()

    def test_nor_from_addopts_of_the_ini_file(self, project, checkpoint, mark):
        """There the root directory is not misread, and the checkpoint is asked."""
        project.pytester.makeconftest(CONFTEST)
        project.ini(addopts=f"--model {checkpoint}")

        project.run().assert_outcomes(passed=1)
        assert not mark.exists()

    def test_nor_from_a_file_of_arguments(self, project, checkpoint, mark):
        """`@file` stands for its lines."""
        project.pytester.makeconftest(CONFTEST)
        (project.path / "args").write_text(f"--model\n{checkpoint}\n")

        result = project.run("@args", "--collect-only")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert not mark.exists()

    def test_nor_in_the_project(self, project, weights, booby_trap, mark):
        """The root directory is the same, and the folder is none of tests."""
        project.pytester.makeconftest(CONFTEST)
        shutil.copytree(weights("tiny-it"), project.path / "ckpt")
        booby_trap(project.path / "ckpt")

        result = project.run("--model", "ckpt")

        result.assert_outcomes(passed=1)
        assert not mark.exists()


class TestInTheProject:
    """A checkpoint in a folder that pytest collects from."""

    @pytest.mark.parametrize("name", ["ckpt", "ckpt/"])
    def test_its_code_is_not_run(self, project, weights, booby_trap, mark, name):
        """The claims are run, the folder is left out."""
        shutil.copytree(weights("tiny-it"), project.path / "ckpt")
        booby_trap(project.path / "ckpt", inside="inner")

        result = project.run(f"--lengthprobe-model={name}")

        result.assert_outcomes(passed=1)
        assert not mark.exists()

    def test_nor_where_the_ini_file_names_it(self, project, weights, booby_trap, mark):
        """It is a checkpoint whoever named it."""
        shutil.copytree(weights("tiny-it"), project.path / "ckpt")
        booby_trap(project.path / "ckpt")
        project.ini(lengthprobe_model="ckpt")

        project.run().assert_outcomes(passed=1)
        assert not mark.exists()

    @pytest.mark.parametrize("told", ["option", "ini"])
    def test_folder_called_test_is_refused(self, project, weights, booby_trap, mark, told):
        """Pytest loads the conftest of such a folder before it collects."""
        shutil.copytree(weights("tiny-it"), project.path / "test-ckpt")
        booby_trap(project.path / "test-ckpt")
        if told == "ini":
            project.ini(lengthprobe_model="test-ckpt")

        result = project.run(*(["--lengthprobe-model=test-ckpt"] if told == "option" else []))

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["*would run */test-ckpt/conftest.py*the checkpoint test-ckpt"])
        assert not mark.exists()

    def test_path_that_is_typed_is_refused_too(self, project, weights, booby_trap, mark):
        """A checkpoint's folder is asked or collected from, not both."""
        shutil.copytree(weights("tiny-it"), project.path / "ckpt")
        booby_trap(project.path / "ckpt")

        result = project.run("ckpt", "--lengthprobe-model=ckpt")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert not mark.exists()


class TestWithinTheCheckpoint:
    """Pytest is started in the checkpoint's folder."""

    @pytest.fixture(autouse=True)
    def _within(self, project, checkpoint, monkeypatch):
        assert project.path != checkpoint
        monkeypatch.chdir(checkpoint)

    @pytest.mark.parametrize("option", ["--lengthprobe-model=.", "--model=."])
    def test_is_refused_before_its_conftest_is_run(self, project, checkpoint, mark, option):
        """The message names the file, and the option with the whole path."""
        result = project.run(option)

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"*pytest would run {checkpoint}/conftest.py*"])
        result.stderr.fnmatch_lines([f"*fix: *--lengthprobe-model={checkpoint};*"])
        assert not mark.exists()

    def test_tests_alone_are_refused_too(self, project, checkpoint, mark):
        """They are code like a conftest."""
        (checkpoint / "conftest.py").unlink()

        assert project.run("--lengthprobe-model=.").ret == pytest.ExitCode.USAGE_ERROR
        assert not mark.exists()

    def test_installed_suite_is_run_where_there_is_no_conftest(self, project, checkpoint, mark):
        """Pytest collects from the package, and from nowhere else."""
        (checkpoint / "conftest.py").unlink()

        result = project.run("--pyargs", "lengthprobe.suites", "--lengthprobe-model=.", "--collect-only")

        assert result.ret != pytest.ExitCode.USAGE_ERROR
        assert not mark.exists()

    def test_fix_works_when_typed(self, project, checkpoint, mark, monkeypatch):
        """From the project's folder, with the whole path."""
        monkeypatch.chdir(project.path)

        project.run(f"--lengthprobe-model={checkpoint}").assert_outcomes(passed=1)
        assert not mark.exists()


class TestOtherProjects:
    """Projects that mean something else by the short options."""

    def test_path_after_a_flag_of_theirs_loads_its_conftest(self, project, mark, booby_trap):
        """The flag takes no value, so that the path is one of tests."""
        project.pytester.makeconftest(
            "def pytest_addoption(parser):\n    parser.addoption('--base', action='store_true')\n"
        )
        booby_trap(project.path / "suite")

        project.run("--base", "suite").assert_outcomes(passed=1)
        assert mark.exists()

    def test_conftest_there_may_add_the_flag(self, project):
        """As pytest has it."""
        (project.path / "suite").mkdir()
        (project.path / "suite" / "conftest.py").write_text(
            "def pytest_addoption(parser):\n    parser.addoption('--base', action='store_true')\n"
        )
        (project.path / "suite" / "test_it.py").write_text("def test_it():\n    pass\n")

        project.run("--base", "suite").assert_outcomes(passed=1)

    def test_folder_that_is_no_checkpoint_is_not_bothered(self, project):
        """`--base=.` names the project's own folder there."""
        project.pytester.makeconftest("def pytest_addoption(parser):\n    parser.addoption('--base')\n")

        project.run("--base=.").assert_outcomes(passed=1)

    @pytest.mark.parametrize("form", [Path, os.fspath])
    def test_arguments_may_be_paths(self, pytester, form):
        """`pytest.main([Path("proj"), "-q"])` is any project's way to start."""
        pytester.makeini("[pytest]\n")
        folder = pytester.mkdir("proj")
        (folder / "test_it.py").write_text("def test_it():\n    pass\n")

        pytester.inline_run(form(folder), "-q").assertoutcome(passed=1)
