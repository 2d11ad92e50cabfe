"""Trace: the attribution of a response, step by step, as numpy arrays to keep and send."""

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
    """The contribution of each component to a target's logit at each of T steps, float32.

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
        """The contributions at the first steps."""
        return Contributions(*(getattr(self, name)[:steps] for name in self.names()))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the arrays."""
        return tuple(field.name for field in fields(cls))

    def as_arrays(self, prefix: str) -> dict[str, Floats]:
        """The arrays by name, with a prefix before each name."""
        return {f"{prefix}{name}": getattr(self, name) for name in self.names()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], prefix: str) -> Contributions:
        """The contributions from the arrays of `as_arrays`."""
        return cls(*(arrays[f"{prefix}{name}"] for name in cls.names()))


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The attribution of a response; the last step is the end token's, if the response has an end token.

    Args:
        token: Contributions to the logit of the token written at each step.
        stop: Contributions to the stop margin: the best end token less the best other token.
    """

    token: Contributions
    stop: Contributions

    def first(self, steps: int) -> Trace:
        """The trace of the first steps."""
        return Trace(self.token.first(steps), self.stop.first(steps))

    def as_arrays(self, prefix: str) -> dict[str, Floats]:
        """The arrays by name, with a prefix before each name."""
        return self.token.as_arrays(f"{prefix}token.") | self.stop.as_arrays(f"{prefix}stop.")

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], prefix: str) -> Trace:
        """The trace from the arrays of `as_arrays`."""
        return cls(*(Contributions.from_arrays(arrays, f"{prefix}{target}.") for target in ("token", "stop")))


@dataclass(frozen=True, slots=True, eq=False)
class ForcedTrace:
    """The attribution of a text given to a checkpoint.

    Args:
        contributions: Contributions to the target, at each step asked about.
        adherence: Adherence of the text's tokens, by this checkpoint's tokenizer; None where only the step
            after the text was asked about.
    """

    contributions: Contributions
    adherence: Adherence | None
