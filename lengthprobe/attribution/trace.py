"""Trace: the attribution of one response, step by step, as numpy arrays that can be kept and sent."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from lengthprobe.task.adherence import Adherence

    Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """How much each component added to one target's logit at each of T steps, float32.

    Args:
        heads: [T, L, H]
        mlps: [T, L]
        embedding: [T]
        biases: [T]
        logits: The centred logit, or the stop margin, [T]
    """

    heads: Floats
    mlps: Floats
    embedding: Floats
    biases: Floats
    logits: Floats

    def first(self, steps: int) -> Contributions:
        """Those of the first steps."""
        return Contributions(*(getattr(self, name)[:steps] for name in self.names()))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of its arrays."""
        return tuple(field.name for field in fields(cls))

    def as_arrays(self, prefix: str) -> dict[str, Floats]:
        """Its arrays under names that start with a prefix."""
        return {f"{prefix}{name}": getattr(self, name) for name in self.names()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], prefix: str) -> Contributions:
        """The contributions that `as_arrays` took apart."""
        return cls(*(arrays[f"{prefix}{name}"] for name in cls.names()))


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The attribution of one response; the end token's step, if it has one, is the last.

    Args:
        token: Of the token written at each step.
        stop: Of the best end token less the best other one.
    """

    token: Contributions
    stop: Contributions

    def first(self, steps: int) -> Trace:
        """That of the first steps."""
        return Trace(self.token.first(steps), self.stop.first(steps))

    def as_arrays(self, prefix: str) -> dict[str, Floats]:
        """Its arrays under names that start with a prefix."""
        return self.token.as_arrays(f"{prefix}token.") | self.stop.as_arrays(f"{prefix}stop.")

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], prefix: str) -> Trace:
        """The trace that `as_arrays` took apart."""
        return cls(*(Contributions.from_arrays(arrays, f"{prefix}{target}.") for target in ("token", "stop")))


@dataclass(frozen=True, slots=True, eq=False)
class ForcedTrace:
    """What a checkpoint's components said to a text that it was given.

    Args:
        contributions: To the target, at each step that was asked about.
        adherence: Of the text's tokens, as this checkpoint's tokenizer has them; None where only the step
            after the text was asked about.
    """

    contributions: Contributions
    adherence: Adherence | None
