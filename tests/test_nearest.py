"""Nearest names."""

import pytest

from lengthprobe.nearest import nearest, nearest_first, option_to_type

KNOWN = ("source", "kind", "published", "about", "languages")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("knd", "kind"), ("langauges", "languages"), ("abuot", "about"), ("zzz", None), ("", None)],
)
def test_a_slip_has_a_nearest_name_and_nonsense_has_none(typed, meant):
    """`knd` is `kind`; `zzz` is nothing."""
    assert nearest(typed, KNOWN) == meant


def test_the_nearest_comes_first():
    """Every name is there; equals stand by the alphabet."""
    assert nearest_first("model-q5", ["zzz", "model-q8", "embed", "aaa", "model-q5_k"]) == [
        *("model-q5_k", "model-q8", "embed", "aaa", "zzz"),
    ]


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("flaot32", "--dtype=float32, or auto or float16"),
        ("int3", "--dtype=auto, or float32 or float16"),
    ],
)
def test_fix_is_one_line_to_type(typed, line):
    """With the nearest value, or the usual one; a bar between values would be a pipe in a shell."""
    assert option_to_type("--dtype", typed, ("auto", "float32", "float16")) == line
