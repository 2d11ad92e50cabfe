"""Steps: reports on a batch while the batch is being written."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import torch
from transformers import StoppingCriteria

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # Responses that have ended, tokens written of each, and the most that may be.
    Told = Callable[[int, int, int], None]

# To look at what was written waits for the device.
_SECONDS_BETWEEN = 1.0
_TELL: ContextVar[Told | None] = ContextVar("told of every step", default=None)


@contextmanager
def tell_steps(told: Told) -> Iterator[None]:
    """Report now and then, within the block, how far the batch at work has come.

    Args:
        told: Called with the number of ended responses, the tokens of each other response, and the cap.
    """
    token = _TELL.set(told)
    try:
        yield
    finally:
        _TELL.reset(token)


def steps(n: int, width: int, cap: int, ends: Sequence[int]) -> list[StoppingCriteria]:
    """The reporter on the first n rows of a batch, in a list; empty where nobody listens.

    Args:
        n: How many responses are written.
        width: The column where responses start.
        cap: Most tokens in a response.
        ends: The tokens that end a response.
    """
    report = _TELL.get()
    return [] if report is None else [_Steps(report, n, width, cap, tuple(ends))]


class _Steps(StoppingCriteria):
    """Stops nothing."""

    def __init__(self, told: Told, n: int, width: int, cap: int, ends: tuple[int, ...]) -> None:
        self._told, self._n, self._width, self._cap = told, n, width, cap
        self._ends = ends
        self._last = time.monotonic()

    def __call__(self, input_ids: Any, scores: Any, **_more: Any) -> Any:  # noqa: ARG002  (as it is called)
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN:
            self._last = now
            written = input_ids[: self._n, self._width :]
            ends = torch.tensor(self._ends, device=written.device, dtype=written.dtype)
            ended = int(torch.isin(written, ends).any(dim=1).sum())
            self._told(ended, written.shape[1], self._cap)
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
