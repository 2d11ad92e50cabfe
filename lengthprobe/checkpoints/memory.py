"""Memory: whether an error means that memory is out, on any device, and how to release memory then."""

from __future__ import annotations

import gc

import torch

# Not every allocator raises the class that torch has for it: a CPU's, cuBLAS's and the driver's say it in
# an ordinary RuntimeError.
_SAID = ("out of memory", "DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is out; to be asked before any other reading of the error."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _SAID)


def release() -> None:
    """Give memory without an owner back to the device, so that a smaller piece can be tried."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
