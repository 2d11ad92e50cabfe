"""Whether lengthprobe wrote a file."""

from __future__ import annotations

import json

import pytest

from lengthprobe.reporting.authorship import GENERATOR, has_verdicts, is_ours
from lengthprobe.reporting.page import report_files, write_report

FOREIGN = {
    "index.html": "<!doctype html><title>my site, not about lengthprobe</title>",
    "summary.md": "# Summary\n\nof my thesis\n",
    "report.json": '{"schema": 1, "claims": ["of an insurance"]}',
    "figures/head_map.svg": '<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>',
    "scan.json": '{"plan": "none"}',
    "scan.md": "## What to scan\n",
    "effect_map.svg": "<svg/>",
    "scan.answers.json": "[]",
}


def test_all_files_of_a_report_are_ours(tmp_path, report, portrait):
    """Each says it by what stands in it; the template has the page's generator as it is looked for."""
    write_report(tmp_path, report(), {"model": portrait()})

    written = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert {path for path in written if not is_ours(path)} == set()
    assert set(written) == set(report_files(tmp_path))
    assert GENERATOR in (tmp_path / "index.html").read_text()


def test_empty_report_is_ours(tmp_path, report):
    """One without a claim, and without a checkpoint."""
    write_report(tmp_path, report(claims=[], model=None), {})

    assert all(is_ours(path) for path in tmp_path.iterdir())


def test_reports_of_before_are_ours(tmp_path, report):
    """Whose page names no generator, whose JSON has fewer keys, and whose summary has no sentence."""
    write_report(tmp_path, report(), {})
    page, summary = tmp_path / "index.html", tmp_path / "summary.md"
    page.write_text(page.read_text().replace(GENERATOR, ""))
    heading, _, sentence, _, *rest = summary.read_text().split("\n")
    assert sentence.startswith("**")
    summary.write_text("\n".join([heading, "", *rest]))

    assert is_ours(page)
    assert is_ours(summary)
    assert is_ours(tmp_path / "report.json")


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_others_are_not(tmp_path, name):
    """By the same names."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(FOREIGN[name])

    assert not is_ours(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, b"{", b"null", b"3"])
def test_damaged_file_is_nobody_s(tmp_path, content):
    """And no error."""
    for name in FOREIGN:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        assert not is_ours(path)


def test_empty_file_holds_nothing_to_be_lost(tmp_path):
    """As one that was made to be written."""
    (tmp_path / "report.json").touch()

    assert is_ours(tmp_path / "report.json")


def test_what_is_no_file_is_not_ours(tmp_path):
    """A folder, a device, a link to nowhere."""
    (tmp_path / "index.html").mkdir()
    (tmp_path / "summary.md").symlink_to(tmp_path / "nowhere")
    (tmp_path / "report.json").symlink_to("/dev/null")

    assert not any(is_ours(path) for path in tmp_path.iterdir())


def test_verdicts_are_known_by_any_name(tmp_path, report):
    """The file that an option names has a name of its own."""
    (tmp_path / "index.html").write_text(json.dumps(report()))

    assert has_verdicts(tmp_path / "index.html")
    assert not has_verdicts(tmp_path / "nothing.json")
