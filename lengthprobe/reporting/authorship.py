"""Authorship: whether lengthprobe wrote a file, by what stands in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# As the template of the page has it.
GENERATOR = '<meta name="generator" content="lengthprobe">'
# Reports of before there was a generator.
_BRAND = '<p class="brand">lengthprobe</p>'
_REPORT = {"schema", "model", "settings", "claims", "totals"}
_SCAN = {"schema", "model", "plan", "shape", "estimates"}
_KEPT = {"digest", "schema", "asked", "responses", "answers"}
_SUMMARY = re.compile(r"\A## .*\n\n\S \d+ holds? · \S \d+ broken · ")
_SCANNED = re.compile(r"\A## .* answers exact in .*; each component alone ablated \(")
# How a drawing of a report begins, and of no other program that draws.
_DRAWING = re.compile(
    r"<svg [^>]*style=\"stroke-linejoin: round; stroke-linecap: butt; font-family: system-ui,"
)
_MOST_READ = 1 << 20


def is_ours(path: Path) -> bool:
    """Whether a file is one that lengthprobe wrote, in this version or an earlier one, or holds nothing.

    Args:
        path: A file by one of the names that lengthprobe gives, or one with verdicts by any name.
    """
    tell = _TELLING.get(path.name) or _TELLING.get(path.suffix) or has_verdicts
    return holds_nothing(path) or tell(path)


def has_verdicts(path: Path) -> bool:
    """Whether a file, by whatever name, has the verdicts of a run as JSON."""
    return _keys(path) >= _REPORT


def holds_nothing(path: Path) -> bool:
    """Whether a file is empty, as one that was made to be written."""
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
    """The keys of a JSON object, none where the file has another content."""
    try:
        content: Any = json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return set()
    return set(content) if isinstance(content, dict) else set()


def _beginning(path: Path) -> str:
    """The text that a file begins with, nothing where it cannot be read."""
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
