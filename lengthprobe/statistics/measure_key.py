"""Measure key: the measure and the checkpoint of an estimate, as a value for programs to compare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class MeasureKey:
    """A measure, its options, and its checkpoint, language and lengths. Prints as in an expression.

    >>> print(MeasureKey("control_without", ("2 heads",)).of("tiny-it", "en", None))
    control_without[2 heads](tiny-it, en)

    Args:
        name: The measure.
        options: The options in the words of an expression: `2 heads`, `found in en`.
        checkpoint: The name of the checkpoint, empty before the measure is taken.
        language: Code of the language, empty before the measure is taken.
        lengths: The selected lengths, in order; empty for all.
    """

    name: str
    options: tuple[str, ...] = ()
    checkpoint: str = ""
    language: str = ""
    lengths: tuple[int, ...] = ()

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> MeasureKey:
        """The key from JSON."""
        return cls(**{**kept, "options": tuple(kept["options"]), "lengths": tuple(kept["lengths"])})

    def of(self, checkpoint: str, language: str, lengths: Collection[int] | None) -> MeasureKey:
        """The key of the measure taken of a checkpoint in a language, at some lengths or at all of them."""
        return replace(self, checkpoint=checkpoint, language=language, lengths=tuple(sorted(lengths or ())))

    @property
    def measure(self) -> str:
        """The measure and its options, without checkpoint, language and lengths."""
        return f"{self.name}[{', '.join(self.options)}]" if self.options else self.name

    def __str__(self) -> str:
        where = [self.checkpoint, self.language] if self.checkpoint else []
        if self.lengths:
            last = f"–{self.lengths[-1]}" if len(self.lengths) > 1 else ""
            where.append(f"N={self.lengths[0]}{last}")
        return f"{self.measure}({', '.join(where)})" if where else self.measure


def all_keys(*every: Sequence[MeasureKey]) -> tuple[MeasureKey, ...]:
    """The keys of the terms of an estimate, each once."""
    return tuple(dict.fromkeys(key for keys in every for key in keys))


def without_checkpoints(name: str, keys: Sequence[MeasureKey], beside: Sequence[MeasureKey]) -> str:
    """A printed name without the checkpoints already named in another estimate beside.

    Args:
        name: The name of an estimate.
        keys: The keys of the estimate.
        beside: The keys of the other estimate.
    """
    named = {key.checkpoint for key in keys} & {key.checkpoint for key in beside} - {""}
    for checkpoint in sorted(named):
        name = name.replace(f"({checkpoint}, ", "(")
    return name
