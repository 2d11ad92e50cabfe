"""A matplotlib figure as SVG: always the same bytes for the same data, and safe inside a page."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.palette import INK, MUTED, NAMES, PAPER, RULE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
_REFERENCE = re.compile(r"url\(#([^)]*)\)|^#(.+)$")
_FAMILY = re.compile(r"'DejaVu Sans'(, sans-serif)?")
_LONG = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
# A hundredth of a point is not seen; a picture is scaled by its transform, and needs more.
_DIGITS = {"d": 2, "x": 2, "y": 2, "width": 2, "height": 2, "transform": 6}
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")

_STYLE: Any = {
    # Text stays text. Then a reader can search, copy and hear the text, in fonts of the reader's own for any
    # script. Glyph outlines, which differ between versions of FreeType, stay out of the bytes.
    "svg.fonttype": "none",
    "svg.hashsalt": "lengthprobe",
    # A dollar sign in a model's answer is a dollar sign.
    "text.parse_math": False,
    # This font comes with matplotlib, so that the layout is the same everywhere, and is wider than most.
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as text.

    Args:
        file: A whole SVG file.
        inline: The figure for a page: without a background, in the page's colours.
    """

    file: str
    inline: str


@contextmanager
def style() -> Iterator[None]:
    """A context with lengthprobe's own style for figures, whatever the user's matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        for name, value in _STYLE.items():
            mpl.rcParams[name] = value
        # The reader's fonts have the glyphs that the measuring font lacks.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        yield


def draw_svg(figure: Figure, name: str, label: str) -> Drawing:
    """A figure as SVG, within `style()`.

    Args:
        figure: The figure to draw.
        name: The beginning of every id in the SVG, so that a page can hold several figures.
        label: A description for readers who do not see the figure.
    """
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    root = ET.fromstring(written.getvalue())
    for unwanted in ("metadata", "defs/style"):
        _remove(root, unwanted)
    _tidy(root, name)
    # Matplotlib puts this into a style sheet, which would rule the whole page.
    root.set("style", f"stroke-linejoin: round; stroke-linecap: butt; font-family: {_FONTS}")
    root.set("role", "img")
    root.set("aria-label", label)
    for element in root.iter():
        if "style" in element.attrib and element is not root:
            element.set("style", _FAMILY.sub(_FONTS, element.get("style", "")))
    file = f'<?xml version="1.0" encoding="utf-8"?>\n{_text(root)}\n'
    return Drawing(file, _text(_for_page(root)))


def _remove(root: ET.Element, path: str) -> None:
    *folders, last = (f"{{{_SVG}}}{tag}" for tag in path.split("/"))
    parent = root.find("/".join(folders)) if folders else root
    child = None if parent is None else parent.find(last)
    if parent is not None and child is not None:
        parent.remove(child)


def _tidy(root: ET.Element, name: str) -> None:
    """Rename the ids referred to by names of the figure's own, and round coordinates to visible digits.

    Matplotlib makes its ids from coordinates to their last bit, and the order of a sum can change this bit.
    """
    numbers: dict[str, str] = {}
    for element in root.iter():
        for value in element.attrib.values():
            for inside, whole in _REFERENCE.findall(value):
                numbers.setdefault(inside or whole, f"{name}-{len(numbers) + 1}")
    for element in root.iter():
        own = numbers.get(element.attrib.pop("id", ""))
        for key, value in element.attrib.items():
            if key in _DIGITS:
                element.set(key, _rounded(value, _DIGITS[key]))
            else:
                element.set(key, _REFERENCE.sub(lambda match: _renamed(match, numbers), value))
        if own is not None:
            element.set("id", own)


def _rounded(places: str, digits: int) -> str:
    """Coordinates with at most `digits` digits after the point."""

    def rounded(match: re.Match[str]) -> str:
        # Adding zero takes the sign from a zero that was rounded into minus zero.
        number = round(float(match[0]), digits) + 0.0
        return f"{number:.{digits}f}".rstrip("0").rstrip(".")

    return _LONG.sub(rounded, places)


def _renamed(match: re.Match[str], numbers: dict[str, str]) -> str:
    inside, whole = match.groups()
    return f"#{numbers[whole]}" if whole else f"url(#{numbers[inside]})"


def _for_page(root: ET.Element) -> ET.Element:
    """The figure in the page's colours and without a size of its own."""
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    for element in root.iter():
        if "style" in element.attrib:
            element.set("style", _COLOUR.sub(_variable, element.get("style", "")))
    return root


def _variable(match: re.Match[str]) -> str:
    colour = match[0]
    return f"var(--plot-{NAMES[colour]}, {colour})" if colour in NAMES else colour


def _text(root: ET.Element) -> str:
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    return ET.tostring(root, encoding="unicode")
