"""Trace: the attribution of one response, step by step, as numpy arrays that can be kept and sent."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """How much each part added to one target's logit at each of T steps, float32.

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


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The attribution of one response; the end token's step, if it has one, is the last.

    Args:
        token: Of the token written at each step.
        stop: Of the best end token less the best other one.
    """

    token: Contributions
    stop: Contributions

    def as_arrays(self, prefix: str) -> dict[str, Floats]:
        """Its arrays under names that start with a prefix."""
        return {
            f"{prefix}{target}.{field.name}": getattr(getattr(self, target), field.name)
            for target in ("token", "stop")
            for field in fields(Contributions)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], prefix: str) -> Trace:
        """The trace that `as_arrays` took apart."""
        return cls(
            *(
                Contributions(*(arrays[f"{prefix}{target}.{field.name}"] for field in fields(Contributions)))
                for target in ("token", "stop")
            )
        )
