"""Precision: how torch multiplies float32 numbers, as whoever runs this process has set."""

from __future__ import annotations

from typing import Any

_EXACT = ("none", "ieee")
# The result of `precision_flags` where nobody has set anything.
USUAL: dict[str, str | bool] = {
    "float32 products": "none",
    "float32 products on CUDA": "none",
    "float32 products on a CPU": "none",
    "bfloat16 sums shortened": True,
    "deterministic algorithms": False,
}


def float32_precision() -> list[str]:
    """The settings of float32 products: of torch, of CUDA and of oneDNN (the CPU).

    `torch.get_float32_matmul_precision` raises an error where the newer settings were used.
    """
    import torch

    of_cpu: Any = torch.backends.mkldnn
    backends = (torch.backends, torch.backends.cuda.matmul, of_cpu.matmul)
    return [str(backend.fp32_precision) for backend in backends]


def precision_flags() -> dict[str, str | bool]:
    """The settings of torch in this process that change how numbers are rounded, by name."""
    import torch

    of_torch, of_cuda, of_cpu = float32_precision()
    return {
        "float32 products": of_torch,
        "float32 products on CUDA": of_cuda,
        "float32 products on a CPU": of_cpu,
        "bfloat16 sums shortened": torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction is True,
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
    }


def multiplies_exactly() -> bool:
    """Whether no setting rounds the factors of a float32 product."""
    return all(precision in _EXACT for precision in float32_precision())
