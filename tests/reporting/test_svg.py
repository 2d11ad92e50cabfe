"""A figure as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from lengthprobe.reporting.palette import BLUE, INK, PAPER
from lengthprobe.reporting.svg import draw_svg, style


@pytest.fixture
def line():
    """A drawing of one line, with a title that means something in TeX, in XML and in regular expressions."""
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(3, 2))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=BLUE, marker="o")
        axes.set_title(f"$x_1$ <&> url(#a) 'DejaVu Sans' {INK}")
        return draw_svg(figure, "fig", "a <line>")


def test_file_is_whole_and_has_no_date(line):
    """A document of its own, with nothing that changes from day to day or from version to version."""
    assert line.file.startswith('<?xml version="1.0" encoding="utf-8"?>\n<svg ')
    assert not any(word in line.file for word in ("metadata", "Matplotlib", "date"))


def test_text_stays_text(line):
    """It can be searched and read aloud, and nothing in it was taken for a formula, a link or a style."""
    written = [element.text for element in ET.fromstring(line.file.encode()).iter() if element.text]

    assert f"$x_1$ <&> url(#a) 'DejaVu Sans' {INK}" in written
    for text in (line.file, line.inline):
        assert f"$x_1$ &lt;&amp;&gt; url(#a) 'DejaVu Sans' {INK}" in text


def test_ids_are_the_figures_own(line):
    """Only those that something refers to are left."""
    ids = [element.get("id") for element in ET.fromstring(line.file.encode()).iter() if element.get("id")]

    assert ids
    assert all(one.startswith("fig-") for one in ids)
    assert all(f"#{one}" in line.file for one in ids)


def test_page_lends_its_colours(line):
    """Those of the file are what it falls back on; the file itself has plain ones, for any program."""
    assert "var(" not in line.file
    for name, colour in (("blue", BLUE), ("paper", PAPER), ("rule", "#d5dae0")):
        assert f"var(--plot-{name}, {colour})" in line.inline


def test_no_style_sheet_reaches_the_page(line):
    """One inside a figure would rule all that stands beside it."""
    assert "<style" not in line.inline


def test_is_named_for_those_who_do_not_see_it(line):
    """As one picture."""
    root = ET.fromstring(line.inline)

    assert (root.get("role"), root.get("aria-label")) == ("img", "a <line>")
    assert root.get("width") is None
    assert root.get("viewBox") == "0 0 216 144"
