"""Precision: how torch multiplies float32 numbers, as whoever runs this process has set."""

from __future__ import annotations

from typing import Any

_EXACT = ("none", "ieee")


def float32_precision() -> list[str]:
    """The settings of float32 products: of torch, of CUDA and of oneDNN (the CPU).

    `torch.get_float32_matmul_precision` raises an error where the newer settings were used.
    """
    import torch

    of_cpu: Any = torch.backends.mkldnn
    backends = (torch.backends, torch.backends.cuda.matmul, of_cpu.matmul)
    return [str(backend.fp32_precision) for backend in backends]


def multiplies_exactly() -> bool:
    """Whether no setting rounds the factors of a float32 product."""
    return all(precision in _EXACT for precision in float32_precision())
