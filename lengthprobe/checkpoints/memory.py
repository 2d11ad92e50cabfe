"""Memory: whether an error means that it is out, on whatever device, and what to give back then."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, TypeVar

import torch

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Asked = TypeVar("Asked")
Made = TypeVar("Made")

# Not every allocator raises the class that torch has for it: a CPU's, cuBLAS's and the driver's say it in
# an ordinary RuntimeError.
_SAID = ("out of memory", "DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is out; to be asked before it is taken to say anything else."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _SAID)


def release() -> None:
    """Give back what nothing holds any more, so that less can be tried."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def in_pieces(
    asked: Sequence[Asked],
    run: Callable[[Sequence[Asked]], list[Made]],
    too_large: Callable[[Asked], ModelError],
) -> list[Made]:
    """What a run gives for some rows, in halves, and halves of those, where memory is out for all at once.

    Args:
        asked: The rows.
        run: Gives what is made of some of them.
        too_large: The error where memory is out for one row alone.

    Raises:
        ModelError: As `too_large` says.
    """
    try:
        return run(asked)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(asked) == 1:
            raise too_large(asked[0]) from error
    # Here, not above: while the exception lives, its frames hold on to the memory.
    release()
    half = (len(asked) + 1) // 2
    return in_pieces(asked[:half], run, too_large) + in_pieces(asked[half:], run, too_large)


def in_batches(
    asked: Sequence[Asked],
    size: int,
    run: Callable[[Sequence[Asked]], list[Made]],
    too_large: Callable[[Asked], ModelError],
) -> list[Made]:
    """What a run gives for some rows, so many at once, and fewer where memory is out.

    Args:
        asked: The rows.
        size: Most rows at once.
        run, too_large: As in `in_pieces`.

    Raises:
        ModelError: As there.
    """
    batches = (asked[first : first + size] for first in range(0, len(asked), size))
    return [made for batch in batches for made in in_pieces(batch, run, too_large)]


def text_too_large(name: str, device: torch.device, tokens: int) -> ModelError:
    """The error for a text that a checkpoint has no memory for, even alone."""
    return ModelError(
        f"{name} runs out of memory on {device} with a single text of {tokens} tokens",
        "free the device, take a smaller format (--lengthprobe-dtype=bfloat16), or more devices "
        "(--lengthprobe-device-map=balanced)",
    )
