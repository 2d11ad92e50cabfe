"""The text of `lengthprobe.untrusted_text`."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthprobe.untrusted_text import escaped_text, printable


class TestPrintable:
    """Others' text on one line."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("five plain words are here", "five plain words are here"),
            ("  one\n\n two\tthree\u2028four \r\n", "one two three four"),
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x9b31mred", "red"),
            ("\x1b]0;title\x07shown", "shown"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]never ended", "]never ended"),
            ("\x1bcreset", "reset"),
            ("a\x00b\x08c\x7f", "abc"),
            ("\u202eevil\u202c \ufeffmark", "evil mark"),
            ("caf\u00e9 l\u2019uomo", "café l’uomo"),
            ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
            ("half \ud800 pair", "half \ufffd pair"),
            ("", ""),
        ],
    )
    def test_keeps_what_can_be_read_and_nothing_else(self, text, expected):
        """Terminal sequences, controls, direction marks and lone surrogates are gone."""
        assert printable(text) == expected

    @pytest.mark.parametrize(
        ("length", "limit", "expected"), [(5, 5, "aaaaa"), (6, 5, "aaaa…"), (999, None, "a" * 999)]
    )
    def test_cuts_long_text_with_an_ellipsis(self, length, limit, expected):
        """To the limit, ellipsis and all."""
        assert printable("a" * length, limit) == expected

    @given(st.text(st.characters(codec=None, categories=None), max_size=80), st.integers(1, 40))
    def test_of_any_string_is_one_safe_line(self, text, limit):
        """Short enough, without controls, and of characters that every encoding of Unicode has."""
        shown = printable(text, limit)
        assert len(shown) <= limit
        assert len(shown.splitlines()) <= 1
        assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in shown)
        shown.encode()


class TestEscaped:
    """Others' text as it was, with nothing in it that cannot be seen."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("five plain words are here", "five plain words are here"),
            ("one\ntwo", "one\ntwo"),
            ("a\tb\r", "a\\tb\\r"),
            ("\x1b[31mred\x00", "\\x1b[31mred\\x00"),
            ("\u202eevil\u2066", "\\u202eevil\\u2066"),
            ("soft\xadhyphen\u2028", "soft\\xadhyphen\\u2028"),
            ("half \ud800 pair", "half \\ud800 pair"),
            ("\ufffe \U0001ffff \ufdd0", "\\ufffe \\U0001ffff \\ufdd0"),
            ("\U000e0041", "\\U000e0041"),
            ("שלום عالم", "שלום عالم"),
            ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ],
    )
    def test_writes_what_cannot_be_seen_as_an_escape(self, text, expected):
        """And leaves every letter, line feed and joiner."""
        assert escaped_text(text) == expected

    @pytest.mark.parametrize(
        ("length", "limit", "shown"), [(5, 5, "aaaaa"), (6, 5, "aaaa…"), (9, None, "a" * 9)]
    )
    def test_cuts_long_text_with_an_ellipsis(self, length, limit, shown):
        """To the limit, ellipsis and all."""
        assert escaped_text("a" * length, limit) == shown

    @given(st.text(st.characters(codec=None, categories=None), max_size=80))
    def test_of_any_string_may_stand_in_xml(self, text):
        """Once its markup is escaped, a parser gives back what was written."""
        shown = escaped_text(text)
        assert ET.fromstring(f"<p>{escape(shown)}</p>").text == (shown or None)
