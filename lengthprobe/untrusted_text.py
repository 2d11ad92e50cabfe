"""Text by others, made safe to show on a single line of a terminal, a log or a report."""

from __future__ import annotations

import re
import unicodedata

_ESC, _CSI, _OSC, _BELL = "\x1b", "\x9b", "\x9d", "\x07"
# Terminal sequences: CSI (colours, cursor), OSC (titles, links) with an end, two-character escapes.
# No class overlaps the next class, so that the time is linear.
_SEQUENCE = re.compile(
    f"(?:{_ESC}\\[|{_CSI})[0-?]*[ -/]*[@-~]"
    f"|(?:{_ESC}\\]|{_OSC})[^{_BELL}{_ESC}\x9c]*(?:{_BELL}|{_ESC}\\\\|\x9c)"
    f"|{_ESC}[ -/]*[0-Z\\\\^-~]"
)
_JOINERS = "\u200c\u200d"
_KEPT = f"\n{_JOINERS}"
_SPACES = re.compile(r"\s+")


def printable(text: str, limit: int | None = 160) -> str:
    """The text on a single line, without characters that steer a terminal or hide other characters.

    Terminal sequences, control characters and invisible format characters (for example marks that turn the
    direction of writing) are dropped. Lone surrogates become U+FFFD. Each run of white space becomes a single
    space.

    Args:
        text: Any string, for example a model's response.
        limit: Most characters to return, with an ellipsis at the end of a shortened text; None for all.
    """
    shown = " ".join("".join(map(_visible, _SEQUENCE.sub("", text))).split())
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1].rstrip() + "…"
    return shown


def escaped_text(text: str, limit: int | None = None) -> str:
    r"""The text with an escape for every invisible character, and for characters that hide or turn others.

    So no control character but the line feed is left, no invisible format character (joiners aside, which
    scripts and emoji need), no lone surrogate and no noncharacter. The result may stand in XML and HTML,
    where `<` and `&` are still to be escaped.

    Args:
        text: Any string, for example a model's response.
        limit: Most characters to return, with an ellipsis at the end of a shortened text; None for all.

    >>> print(escaped_text("a\x1b[31mb"))
    a\x1b[31mb
    """
    shown = "".join(one if _stands(one) else one.encode("unicode_escape").decode() for one in text)
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1].rstrip() + "…"
    return shown


def one_line(text: str) -> str:
    r"""The whole text on a single line: a line break becomes a space, an invisible character an escape.

    Ordinary spaces stay unchanged, so that a path in a command may still be typed.

    >>> print(one_line("a  b\n  fix: none\x1b[31m"))
    a  b fix: none\x1b[31m
    """
    return escaped_text(_SPACES.sub(_without_break, text)).strip()


def _without_break(run: re.Match[str]) -> str:
    spaces = run[0]
    return spaces if "\n" not in spaces and all(map(_stands, spaces)) else " "


def _stands(character: str) -> bool:
    """Whether a character can be shown unchanged."""
    if character in _KEPT:
        return True
    point = ord(character)
    if point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
        # Noncharacters, two of which may not stand in XML at all.
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category == "Cs":
        return "\ufffd"
    return "" if category in ("Cc", "Cf") and character not in _JOINERS else character
