"""Text that others wrote, made safe to show on one line of a terminal, a log or a report."""

from __future__ import annotations

import re
import unicodedata

_ESC, _CSI, _OSC, _BELL = "\x1b", "\x9b", "\x9d", "\x07"
# Terminal sequences: CSI (colours, cursor), OSC (titles, links) where it is ended, two-character escapes.
# No class overlaps the one after it, so that the time is linear.
_SEQUENCE = re.compile(
    f"(?:{_ESC}\\[|{_CSI})[0-?]*[ -/]*[@-~]"
    f"|(?:{_ESC}\\]|{_OSC})[^{_BELL}{_ESC}\x9c]*(?:{_BELL}|{_ESC}\\\\|\x9c)"
    f"|{_ESC}[ -/]*[0-Z\\\\^-~]"
)
_JOINERS = "\u200c\u200d"
_KEPT = f"\n{_JOINERS}"
_SPACES = re.compile(r"\s+")


def printable(text: str, limit: int | None = 160) -> str:
    """The text on one line, without what could steer a terminal or hide what was written.

    Terminal sequences, control characters and invisible format characters (those that turn the direction of
    writing, say) are dropped, lone surrogates become U+FFFD, each run of white space becomes one space.

    Args:
        text: Any string, a model's response for one.
        limit: Most characters to return, the last of them an ellipsis where more were there; None for all.
    """
    shown = " ".join("".join(map(_visible, _SEQUENCE.sub("", text))).split())
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1].rstrip() + "…"
    return shown


def escaped_text(text: str, limit: int | None = None) -> str:
    r"""The text with whatever cannot be seen, or could hide or turn the rest, written as an escape.

    So no control character but the line feed is left, no invisible format character (joiners aside, which
    scripts and emoji need), no lone surrogate and no noncharacter: what remains may stand in XML and HTML,
    where `<` and `&` are still to be escaped.

    Args:
        text: Any string, a model's response for one.
        limit: Most characters to return, the last of them an ellipsis where more were there; None for all.

    >>> print(escaped_text("a\x1b[31mb"))
    a\x1b[31mb
    """
    shown = "".join(one if _stands(one) else one.encode("unicode_escape").decode() for one in text)
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1].rstrip() + "…"
    return shown


def one_line(text: str) -> str:
    r"""The text on one line, whole: a break of the line becomes a space, what cannot be seen an escape.

    Ordinary spaces stay as they are, so that a path in a command may still be typed.

    >>> print(one_line("a  b\n  fix: none\x1b[31m"))
    a  b fix: none\x1b[31m
    """
    return escaped_text(_SPACES.sub(_without_break, text)).strip()


def _without_break(run: re.Match[str]) -> str:
    spaces = run[0]
    return spaces if "\n" not in spaces and all(map(_stands, spaces)) else " "


def _stands(character: str) -> bool:
    """Whether a character can be shown as it is."""
    if character in _KEPT:
        return True
    point = ord(character)
    if point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
        # Noncharacters; two of them may not stand in XML at all.
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category == "Cs":
        return "\ufffd"
    return "" if category in ("Cc", "Cf") and character not in _JOINERS else character
