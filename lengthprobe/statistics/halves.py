"""Halves of the topics: a choice made on the first half is measured on the second, and the reverse."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def second_half(topics: Iterable[str]) -> frozenset[str]:
    """Every second topic, in the order of their digests.

    The halves depend neither on the order of the topics nor on a value, and differ by a single topic at most.
    """
    return frozenset(sorted(set(topics), key=lambda topic: sha256(topic.encode()).digest())[1::2])


def cross_fitted_size(values: Floats, topics: Sequence[str]) -> Floats:
    """Prompt by prompt, Σ_c sign_c · value_c, with the signs from the other half of the topics, [n].

    The mean is Σ_c |mean of c| where every sign is sure, and less where signs are unsure. Signs from the same
    values would add 0.8 standard errors for each component that does nothing (METHODS §3).

    Args:
        values: The value of each component on each prompt, [n, C].
        topics: The topic of each prompt.
    """
    import numpy as np

    second = second_half(topics)
    in_second = np.array([topic in second for topic in topics], bool)
    sizes = np.zeros(len(topics))
    for half in (in_second, ~in_second):
        sizes[half] = values[half] @ np.sign(values[~half].sum(0))
    return sizes
