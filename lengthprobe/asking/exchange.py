"""Exchange: how processes that ask the same model share the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Exchange(Protocol):
    """How processes that ask the same model share the work."""

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key.

        Args:
            keys: What is wanted.
            make: Makes the bytes of one key; called for the keys that this process takes upon itself.
        """
        ...


class Alone:
    """The exchange of a process that shares with nobody."""

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key, all made here."""
        return {key: make(key) for key in keys}
