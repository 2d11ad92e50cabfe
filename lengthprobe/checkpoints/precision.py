"""Precision: how torch multiplies float32 numbers, as whoever runs this process has set."""

from __future__ import annotations

from typing import Any

_EXACT = ("none", "ieee")
# The result of `number_settings` where nobody has set anything.
USUAL: list[Any] = ["none", "none", "none", True, False]


def float32_precision() -> list[str]:
    """The settings of float32 products: of torch, of CUDA and of oneDNN (the CPU).

    `torch.get_float32_matmul_precision` raises an error where the newer settings were used.
    """
    import torch

    of_cpu: Any = torch.backends.mkldnn
    backends = (torch.backends, torch.backends.cuda.matmul, of_cpu.matmul)
    return [str(backend.fp32_precision) for backend in backends]


def number_settings() -> list[Any]:
    """The settings of this process that change numbers: precision, reduction, deterministic algorithms."""
    import torch

    return [
        *float32_precision(),
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction,
        torch.are_deterministic_algorithms_enabled(),
    ]


def multiplies_exactly() -> bool:
    """Whether no setting rounds the factors of a float32 product."""
    return all(precision in _EXACT for precision in float32_precision())
