"""Report of a scan: what a terminal, a file and a picture say."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.errors import ReportError
from lengthprobe.probe import Probe
from lengthprobe.scan.command import scan
from lengthprobe.scan.plan import Plan
from lengthprobe.scan.report import effect_headers, effect_map_svg, lines, markdown, write

SVG = "{http://www.w3.org/2000/svg}"
NAUGHTY = "<b>x</b> | [a](http://b) \x1b[31m"


@pytest.fixture(scope="module")
def report(probe: Probe) -> dict[str, Any]:
    """A small scan's."""
    return scan(probe, Plan("en", top=2, prompts=4, sample=2))


@pytest.fixture
def named(report: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Return a function that gives the report of a checkpoint with another name."""
    return lambda name: {**report, "model": {**report["model"], "name": name}}


def test_has_all_that_the_top_is_told_by(report: dict[str, Any]) -> None:
    """Effects with intervals, the estimates, the cost, and the checkpoint's digests."""
    for one in report["top"]:
        assert set(one) >= {"component", "fall", "rise", "cwa", "number_swap", "gradient", "foretold"}
        assert set(one["fall"]) == {"mean", "low", "high", "n", "clusters", "unit"}
    assert len(report["estimates"]) == 25
    assert report["plan"] == {
        "language": "en", "top": 2, "prompts": 4, "sample": 2, "mode": "zero", "seed": 0, "full": False,
    }  # fmt: skip
    assert len(report["model"]["weights"]) == 64
    assert report["cost"]["total"] == sum(
        report["cost"][name] for name in report["cost"] if name not in ("total", "every component")
    )


def test_table_has_a_row_for_each_of_the_top(report: dict[str, Any]) -> None:
    """In their order, under the headers; below it what chance found, and the cost."""
    shown = lines(report)

    assert shown[0].startswith("tiny-it: 100.0 % of 4 answers exact in en")
    assert all(header in shown[2] for header in effect_headers(0.05))
    assert [row.split()[0] for row in shown[4:6]] == [one["component"] for one in report["top"]]
    assert shown[8].startswith("of the 23 other components 2, drawn by chance, were ablated on 4 prompts")
    assert shown[9].startswith("asked in chat form for 3-9 words; cap ")
    assert shown[10].startswith(f"cost: {report['cost']['total']:.0f} steps of a row")


def test_full_scan_says_so(report: dict[str, Any]) -> None:
    """There is nothing that it could have missed."""
    full = {**report, "plan": {**report["plan"], "full": True}}
    assert "every component was ablated on all 4 prompts" in lines(full)
    assert lines(full)[-1] == f"cost: {report['cost']['total']:.0f} steps of a row"


def test_cost_of_a_full_scan_is_told_before_it_is_made(probe: Probe, report: dict[str, Any]) -> None:
    """Within a tenth of what one costs, by the answers written; answers without a component run on."""
    full = scan(probe, Plan("en", top=2, prompts=4, full=True))["cost"]
    spent = full["finding"] + full["measuring"]
    assert full["every component"] == pytest.approx(spent)
    assert report["cost"]["every component"] == pytest.approx(spent, rel=0.1)


def test_ties_and_zeros_are_said(report: dict[str, Any]) -> None:
    """Whose fall is surely above zero is counted; among the others the order is chance."""
    first, second = report["top"]
    both = [
        {**first, "fall": {**first["fall"], "low": 0.2}},
        {**second, "fall": {**second["fall"], "low": 0.0}},
    ]
    assert any("lies above 0 for 1 of these 2 components" in one for one in lines({**report, "top": both}))
    assert not any("lies above 0" in one for one in lines({**report, "top": both[:1]}))


def test_a_scan_that_costs_more_than_a_full_one_says_so(report: dict[str, Any]) -> None:
    """On few prompts finding costs more than it spares."""
    cost, told = report["cost"], "to ablate every component would have cost less: --full"
    dear = {**cost, "total": cost["every component"] + 1}
    assert told in lines({**report, "cost": dear})
    assert told not in lines({**report, "cost": {**cost, "total": cost["every component"]}})


def test_markdown_has_the_same_table(report: dict[str, Any]) -> None:
    """A head, a rule, a row for each."""
    rows = [line for line in markdown(report).splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(report["top"])
    assert all(row.count(" | ") == len(effect_headers(0.05)) - 1 for row in rows)


def test_a_name_is_nothing_but_text(named: Callable[[str], dict[str, Any]]) -> None:
    """No markup, no link, no terminal sequence, in any of the three."""
    naughty = named(NAUGHTY)
    assert "\x1b" not in "".join(lines(naughty))
    assert "<b>" not in markdown(naughty).replace("\\<", "")
    assert "[a](" not in markdown(naughty)
    assert "<b>" not in effect_map_svg(naughty)
    assert "\x1b" not in effect_map_svg(naughty)


def test_map_shows_every_component(report: dict[str, Any]) -> None:
    """A number for each head and MLP, a frame for each that was measured, a scale."""
    root = ET.fromstring(effect_map_svg(report).encode())
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]

    # The strongest head stands above the map too, and -100 to +100 below it.
    assert texts.count("+100.0") == sum(one["fall"]["mean"] == 1 for one in report["top"])
    assert texts.count("0") >= 10
    assert "fall of exact match, percentage points" in texts
    assert "MLP" in texts
    assert root.get("role") == "img"


def test_map_of_nothing_is_drawn(report: dict[str, Any]) -> None:
    """Where nothing falls, and nothing was foretold of some."""
    still = {
        **report,
        "measured": [],
        "estimates": {name: {**one, "foretold": None} for name, one in report["estimates"].items()},
    }
    assert effect_map_svg(still).startswith("<?xml")


def test_folder_has_three_files(report: dict[str, Any], tmp_path: Path) -> None:
    """The JSON last, so that where it is the others are."""
    write(tmp_path / "a" / "b", report)

    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == {
        "scan.json",
        "scan.md",
        "effect_map.svg",
    }
    assert json.loads((tmp_path / "a" / "b" / "scan.json").read_text()) == json.loads(json.dumps(report))


def test_infinite_limits_are_null(report: dict[str, Any], tmp_path: Path) -> None:
    """JSON has no number for them."""
    (first, *rest) = report["top"]
    wide = {**first, "fall": {**first["fall"], "low": float("-inf"), "high": float("nan")}}
    write(tmp_path, {**report, "top": [wide, *rest]})
    found = json.loads((tmp_path / "scan.json").read_text())["top"][0]["fall"]
    assert (found["low"], found["high"]) == (None, None)


def test_folder_that_cannot_be_written(report: dict[str, Any], tmp_path: Path) -> None:
    """Says so, with a fix."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written") as caught:
        write(tmp_path / "file" / "folder", report)
    assert "--report=DIR" in caught.value.fix


def test_all_wanted_leaves_no_others(probe: Probe) -> None:
    """More than there are is all of them."""
    report = scan(probe, replace(Plan("en", prompts=4), top=99, full=True))
    assert len(report["top"]) == 25
    assert report["sample"]["others"] == 0
