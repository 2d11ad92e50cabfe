"""Nearest names."""

import pytest

from lengthprobe.nearest import nearest

KNOWN = ("source", "kind", "published", "about", "languages")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("knd", "kind"), ("langauges", "languages"), ("abuot", "about"), ("zzz", None), ("", None)],
)
def test_a_slip_has_a_nearest_name_and_nonsense_has_none(typed, meant):
    """`knd` is `kind`; `zzz` is nothing."""
    assert nearest(typed, KNOWN) == meant
