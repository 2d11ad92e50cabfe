"""Authorship: whether lengthprobe wrote a file, by the content of the file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A line of the page's template.
GENERATOR = '<meta name="generator" content="lengthprobe">'
# A line of pages older than the line above.
_BRAND = '<p class="brand">lengthprobe</p>'
_REPORT = {"schema", "model", "settings", "claims", "totals"}
_SCAN = {"schema", "model", "plan", "shape", "estimates"}
_KEPT = {"digest", "schema", "asked", "responses", "answers"}
_SUMMARY = re.compile(r"\A## .*\n\n(?:\*\*.*\n\n)?\S \d+ holds? · \S \d+ broken · ")
_SCANNED = re.compile(r"\A## .* answers exact in .*; each component alone ablated \(")
# The beginning of a report's drawings, and of no other program's.
_DRAWING = re.compile(
    r"<svg [^>]*style=\"stroke-linejoin: round; stroke-linecap: butt; font-family: system-ui,"
)
_MOST_READ = 1 << 20


def is_ours(path: Path) -> bool:
    """Whether lengthprobe wrote a file, in this version or an earlier version, or the file is empty.

    Args:
        path: A file with a name that lengthprobe gives, or a file of verdicts with any name.
    """
    tell = _TELLING.get(path.name) or _TELLING.get(path.suffix) or has_verdicts
    return holds_nothing(path) or tell(path)


def has_verdicts(path: Path) -> bool:
    """Whether a file, with any name, has the verdicts of a run as JSON."""
    return _keys(path) >= _REPORT


def holds_nothing(path: Path) -> bool:
    """Whether a file is empty, as a file made for later writing is."""
    return path.is_file() and path.stat().st_size == 0


def _is_page(path: Path) -> bool:
    text = _beginning(path)
    return GENERATOR in text or _BRAND in text


def _is_drawing(path: Path) -> bool:
    return _DRAWING.search(_beginning(path)) is not None


def _is_scan(path: Path) -> bool:
    return _keys(path) >= _SCAN


def _is_kept(path: Path) -> bool:
    return _keys(path) >= _KEPT


def _keys(path: Path) -> set[str]:
    """The keys of the JSON object in a file; empty where the file has another content."""
    try:
        content: Any = json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return set()
    return set(content) if isinstance(content, dict) else set()


def _beginning(path: Path) -> str:
    """The text at the beginning of a file; empty where the file cannot be read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(_MOST_READ).decode("utf-8", errors="replace")
    except OSError:
        return ""


_TELLING: dict[str, Callable[[Path], bool]] = {
    "index.html": _is_page,
    "summary.md": lambda path: _SUMMARY.search(_beginning(path)) is not None,
    "scan.md": lambda path: _SCANNED.search(_beginning(path)) is not None,
    "scan.json": _is_scan,
    "scan.answers.json": _is_kept,
    ".svg": _is_drawing,
}
