"""Flags that let code run are obeyed where they are typed, and only there."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.typed import words

FLAGS = ("--lengthprobe-allow-remote-code", "--lengthprobe-allow-pickle")


def refused(result, flag, origin):
    """Whether pytest refused, named where the flag comes from, and what to type."""
    result.stderr.fnmatch_lines([f"*{flag} comes from {origin}, *", f"*fix: *type it: pytest {flag}"])
    return result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("flag", FLAGS)
class TestFlags:
    """The two flags."""

    def test_typed(self, project, flag):
        """On the command line it is the user's word."""
        project.run(flag).assert_outcomes(passed=1)

    def test_from_the_environment(self, project, flag, monkeypatch):
        """PYTEST_ADDOPTS is the user's own too."""
        monkeypatch.setenv("PYTEST_ADDOPTS", flag)

        project.run().assert_outcomes(passed=1)

    def test_from_the_ini_file(self, project, flag):
        """A checked-out project must not make anybody run what it brings along."""
        project.ini(addopts=flag)

        assert refused(project.run(), flag, f"addopts in {project.path / 'tox.ini'}")

    def test_fix_works_when_typed(self, project, flag):
        """The flag may stand in the ini file as well."""
        project.ini(addopts=flag)

        project.run(flag).assert_outcomes(passed=1)

    def test_from_another_ini_file(self, project, flag):
        """Which `-c` names."""
        other = project.path / "other.ini"
        other.write_text(f"[pytest]\naddopts = {flag}\n")

        assert refused(project.run("-c", str(other)), flag, f"addopts in {other}")

    def test_from_an_override(self, project, flag):
        """What `-o` says of addopts is no word of the command line."""
        assert refused(project.run("-o", f"addopts={flag}"), flag, "addopts, which -o overrides")

    def test_from_a_file_of_arguments(self, project, flag):
        """Such a file comes with the project."""
        (project.path / "args").write_text(f"{flag}\n")

        assert refused(project.run("@args"), flag, "@args")

    def test_from_a_conftest(self, project, flag):
        """It may set an option, and this one is not obeyed."""
        project.pytester.makeconftest(
            f"def pytest_load_initial_conftests():\n    pass\n\n\n"
            f"import pytest\n\n\n@pytest.hookimpl(tryfirst=True)\ndef pytest_configure(config):\n"
            f"    config.option.{flag.removeprefix('--').replace('-', '_')} = True\n"
        )

        assert refused(project.run(), flag, "a conftest or a plugin")

    def test_abbreviation_is_no_option(self, project, flag):
        """Pytest takes options that are written out."""
        assert project.run(flag.removesuffix("e")[:-2]).ret == pytest.ExitCode.USAGE_ERROR

    def test_workers_obey_it_as_well(self, project, flag):
        """They are told the command line."""
        project.run(flag, "-n1").assert_outcomes(passed=1)


class TestWords:
    """The words of a command line."""

    def test_files_of_arguments_are_their_lines(self, tmp_path):
        """Files within files too."""
        (tmp_path / "inner").write_text("-x\ntests\n")
        (tmp_path / "outer").write_text(f"-q\n@{tmp_path / 'inner'}\n")

        assert words(["-v", f"@{tmp_path / 'outer'}"]) == ["-v", "-q", "-x", "tests"]

    def test_file_that_is_not_there_is_a_word(self):
        """Pytest says what is wrong with it."""
        assert words(["@nothing"]) == ["@nothing"]

    def test_circle_of_files_has_an_end(self, tmp_path):
        """Pytest says what is wrong with that too."""
        (tmp_path / "circle").write_text(f"@{tmp_path / 'circle'}\n")

        assert words([f"@{tmp_path / 'circle'}"]) == [f"@{tmp_path / 'circle'}"]

    def test_paths_are_text(self, tmp_path):
        """As `pytest.main` takes them."""
        assert words([tmp_path, "-q"]) == [str(tmp_path), "-q"]
