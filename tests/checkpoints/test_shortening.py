"""Names shortened, and still told apart."""

from __future__ import annotations

import re

import pytest

from lengthprobe.checkpoints.shortening import LONGEST, shortened_names


def test_short_names_stay() -> None:
    """A name that has room is left as it is, and so are names that are the same."""
    names = ["a", "b" * LONGEST, "a"]

    assert shortened_names(names, ["1", "2", "3"], taken=["a"]) == names


def test_names_that_differ_anyway() -> None:
    """Where the two ends tell names apart, more is not done."""
    names = [f"{one}{'x' * 60}" for one in "ab"]

    assert shortened_names(names, names) == [f"{one}{'x' * 19}\u2026{'x' * 27}" for one in "ab"]


@pytest.mark.parametrize("count", [1, 26, 27, 60])
def test_as_long_as_there_is_room(count: int) -> None:
    """What differs is kept up to 26 characters; digits stand for more, and no name is too long."""
    names = [f"{'p' * 30}{one * count}{'q' * 40}" for one in "xy"]
    found = shortened_names(names, names)

    assert len(set(found)) == 2
    assert {len(one) for one in found} == {LONGEST}
    assert all(one * count in short for one, short in zip("xy", found, strict=True)) == (count <= 26)
    assert all(bool(re.search("\u2026[0-9a-f]{6}\u2026", one)) == (count > 26) for one in found)


def test_digits_are_those_of_the_place() -> None:
    """Another place has other digits, the same place the same in every run."""
    name = "p" * 60
    taken = shortened_names([name], [""])
    first, again, other = (shortened_names([name], [place], taken)[0] for place in ("one", "one", "two"))

    # The first digits of sha256("one") and of sha256("two").
    assert (first[14:20], again, other[14:20]) == ("7692c3", first, "3fc4cc")
