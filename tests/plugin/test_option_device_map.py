"""--lengthprobe-device-map."""

from __future__ import annotations


def test_device_by_name(project):
    """The report says where it ran."""
    report = project.report("--lengthprobe-device-map=cpu")

    assert report["model"]["device"].startswith("cpu")


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_device_map="cpu")

    assert project.report()["settings"]["device_map"] == "cpu"


def test_device_that_is_not_there_is_an_error(project):
    """The claims are errors that name the device and the fix."""
    result = project.run("--lengthprobe-device-map=cuda:97")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'cuda:97' is not to be had*", "*fix: --lengthprobe-device-map=auto*"])
