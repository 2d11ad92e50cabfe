"""A value after a space that is also a path: it works, or is refused with the line to type."""

from __future__ import annotations

import pytest

CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--model", dest="lengthprobe_model")
    parser.addoption("--reference", dest="lengthprobe_reference")
"""


@pytest.fixture
def checkpoint(tmp_path):
    """A directory outside the project."""
    path = tmp_path / "elsewhere" / "ckpt"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def collect(project):
    """Return a function that runs pytest up to collecting."""
    project.pytester.makeconftest(CONFTEST)

    def run(*args):
        return project.run("--collect-only", *map(str, args))

    return run


def refused(result, line):
    """Whether pytest refused, and offered the line to type."""
    result.stderr.fnmatch_lines([f"*fix: write an equals sign in place of the space: {line}"])
    return result.ret == pytest.ExitCode.USAGE_ERROR


class TestInsideTheProject:
    """Run from the project's folder."""

    @pytest.mark.parametrize("option", ["--model", "--lengthprobe-model"])
    def test_path_elsewhere_after_a_space_is_refused(self, collect, checkpoint, option):
        """The project's ini file and conftest would not be read."""
        assert refused(collect(option, checkpoint), f"{option}={checkpoint}")

    def test_message_says_what_was_not_read(self, collect, project, checkpoint):
        """The path taken for a test, the root directory it led to, and the ini file that was left out."""
        result = collect("--lengthprobe-model", checkpoint)

        result.stderr.fnmatch_lines(
            [f"*pytest took {checkpoint} for a test path*did not read {project.path / 'tox.ini'}"]
        )

    @pytest.mark.parametrize("option", ["--model", "--lengthprobe-model"])
    def test_equals_sign_works(self, collect, checkpoint, option):
        """The documented form reads the ini file."""
        result = collect(f"{option}={checkpoint}")

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines([f"lengthprobe: model ckpt ({checkpoint})", "configfile: tox.ini"])

    @pytest.mark.parametrize("option", ["--model", "--lengthprobe-model"])
    @pytest.mark.parametrize("form", ["./ckpt", "ckpt"])
    def test_path_in_the_project_after_a_space_works(self, collect, project, option, form):
        """Pytest finds the same project from there."""
        (project.path / "ckpt").mkdir()
        result = collect(option, form)

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(["lengthprobe: model ckpt*", "configfile: tox.ini"])

    def test_name_after_a_space_works(self, collect):
        """A name is no path."""
        assert collect("--model", "tiny-base").ret == pytest.ExitCode.OK

    @pytest.mark.parametrize("option", ["--model", "--lengthprobe-model"])
    def test_path_elsewhere_beside_a_test_path_works(self, collect, checkpoint, option):
        """Pytest finds the project by the other path."""
        result = collect(option, checkpoint, "test_claims.py")

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines([f"lengthprobe: model ckpt ({checkpoint})", "configfile: tox.ini"])

    def test_path_in_another_project_beside_a_test_path_is_refused(self, collect, checkpoint):
        """The ini file would be the other project's."""
        (checkpoint.parent / "pytest.ini").write_text("[pytest]\n")

        assert refused(collect("--model", checkpoint, "test_claims.py"), f"--model={checkpoint}")

    def test_every_misread_value_is_mended(self, collect, checkpoint):
        """Two options, one line to type."""
        result = collect("--model", checkpoint, "--reference", checkpoint.parent)

        assert refused(result, f"--model={checkpoint} --reference={checkpoint.parent}")

    def test_value_of_another_option_counts_too(self, collect, tmp_path):
        """A report that is there from last time is a path like any other."""
        report = tmp_path / "report.json"
        report.touch()

        assert refused(collect("--lengthprobe-json", report), f"--lengthprobe-json={report}")

    def test_root_directory_given_works(self, collect, project, checkpoint):
        """Where the ini file is named, nothing is searched for."""
        result = collect("-c", project.path / "tox.ini", "--lengthprobe-model", checkpoint)

        assert result.ret == pytest.ExitCode.OK


class TestOutsideTheProject:
    """Run from another folder, with the path of the tests."""

    @pytest.fixture(autouse=True)
    def _outside(self, project, tmp_path, monkeypatch):
        project.pytester.makeconftest(CONFTEST)
        other = tmp_path / "other"
        other.mkdir()
        monkeypatch.chdir(other)

    @pytest.mark.parametrize("option", ["--model", "--lengthprobe-model"])
    def test_path_elsewhere_after_a_space_works(self, collect, project, checkpoint, option):
        """Pytest finds the project by the path of the tests."""
        result = collect(project.path, option, checkpoint)

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines([f"lengthprobe: model ckpt ({checkpoint})", "configfile: tox.ini"])

    def test_path_in_another_project_after_a_space_is_refused(self, collect, project, checkpoint):
        """The ini file would be the other project's."""
        (checkpoint.parent / "pytest.ini").write_text("[pytest]\n")

        assert refused(collect("--model", checkpoint, project.path), f"--model={checkpoint}")

    @pytest.mark.parametrize("option", ["--model", "--lengthprobe-model"])
    def test_equals_sign_works(self, collect, project, checkpoint, option):
        """The ini file is that of the tests."""
        result = collect(project.path, f"{option}={checkpoint}")

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines([f"lengthprobe: model ckpt ({checkpoint})", "configfile: tox.ini"])


class TestOtherProjects:
    """Projects that have a --model of their own."""

    def test_is_not_bothered_by_its_own_option(self, project, checkpoint):
        """Whatever it means there, it is not ours."""
        project.pytester.makeconftest("def pytest_addoption(parser):\n    parser.addoption('--model')\n")

        result = project.run("--collect-only", "test_claims.py", "--model", str(checkpoint))

        assert result.ret == pytest.ExitCode.OK

    def test_own_option_with_choices_is_not_bothered(self, project):
        """Asking whose the option is does not trip over its choices."""
        project.pytester.makeconftest(
            "def pytest_addoption(parser):\n    parser.addoption('--model', type=int)\n"
        )

        result = project.run("--collect-only", "--model", "7")

        assert result.ret == pytest.ExitCode.OK
