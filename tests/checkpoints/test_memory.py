"""Whether an error means that memory is out."""

from __future__ import annotations

import pytest
import torch

from lengthprobe.checkpoints.memory import is_out_of_memory


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("Allocation on device 0 would exceed allowed memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported asynchronously"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:40],
)
def test_memory_is_out(error: Exception) -> None:
    """Memory is out by torch's own class, by Python's, or by what a RuntimeError says."""
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Float8_e4m3fn'"),
        OSError("config.json: the words out of memory in a path"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:40],
)
def test_something_else_is_wrong(error: BaseException) -> None:
    """An error of another kind, or about memory that is not out, is not taken for it."""
    assert not is_out_of_memory(error)


def test_a_processor_really_out_of_memory() -> None:
    """What torch raises on a CPU for more than any machine has is known."""
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 55, dtype=torch.float32)
    assert is_out_of_memory(raised.value)
