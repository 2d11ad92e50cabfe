"""Machine: all that decides where and how a checkpoint runs, found out without torch."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Variables of the environment by which libraries choose a device, a kernel or a place for files.
_PREFIXES = (
    *("CUDA", "NVIDIA", "CUBLAS", "CUDNN", "HIP", "ROCR", "ROCM", "HSA", "GPU_", "ZE_", "ONEAPI"),
    *("TORCH", "PYTORCH", "TRITON", "ATEN", "MKL", "ONEDNN", "DNNL", "ACCELERATE"),
    *("TRANSFORMERS", "HF_", "HUGGINGFACE", "BNB", "BITSANDBYTES", "LD_LIBRARY"),
)
# They change no answer.
_INDECISIVE = ("TOKEN", "NUM_THREADS", "VERBOSITY", "PROGRESS", "CACHE")
_DRIVER = Path("/proc/driver/nvidia")
_NVIDIA, _OTHERS = "nvidia*", ("kfd", "dxg", "accel", "habanalabs", "davinci0", "xpu*")


def machine_facts(
    device_map: str, *, devices: Path = Path("/dev"), driver: Path = _DRIVER
) -> dict[str, Any] | None:
    """All that decides where and how a checkpoint runs, as values for JSON; None where that is not known.

    Args:
        device_map: The device map asked for: on the CPU, accelerators have no part.
        devices: The folder of the device files.
        driver: The folder in which NVIDIA's driver describes the GPUs.
    """
    accelerators = [] if device_map == "cpu" else _accelerators(devices, driver)
    if accelerators is None:
        return None
    return {
        "python": platform.python_version(),
        "system": [sys.platform, platform.machine()],
        "packages": _packages(),
        "variables": _variables(os.environ),
        "accelerators": accelerators,
    }


def _accelerators(devices: Path, driver: Path) -> list[str] | None:
    """The description of each GPU, and of the parts of divided GPUs; None where a device has none."""
    if sys.platform == "darwin":
        return []
    if sys.platform != "linux" or any(True for name in _OTHERS for _ in devices.glob(name)):
        return None
    if not any(devices.glob(_NVIDIA)):
        return []
    try:
        described = [path.read_text() for path in sorted(driver.glob("gpus/*/information"))]
        parts = [str(path) for path in sorted(driver.rglob("capabilities/**/access"))]
        version = (driver / "version").read_text()
    except (OSError, UnicodeDecodeError):
        return None
    return [version, *described, *parts] if described else None


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith(_PREFIXES) and not any(part in name for part in _INDECISIVE)
    }


def _packages() -> list[str]:
    """The names and versions of all installed packages, by the folders that pip makes for them."""
    return sorted({name for folder in sys.path for name in _package_folders(folder)})


def _package_folders(folder: str) -> Iterator[str]:
    with suppress(OSError):
        yield from (
            entry.name
            for entry in os.scandir(folder or os.curdir)
            if entry.name.endswith((".dist-info", ".egg-info", ".egg-link"))
        )
