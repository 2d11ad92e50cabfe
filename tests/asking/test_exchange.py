"""The exchange of a process that shares with nobody."""

from __future__ import annotations

from lengthprobe.asking.exchange import Alone


def test_alone() -> None:
    """Every key is made here, once and in order."""
    made: list[str] = []

    def make(key: str) -> bytes:
        made.append(key)
        return key.encode()

    assert Alone().gather(["b", "a"], make) == {"b": b"b", "a": b"a"}
    assert made == ["b", "a"]
