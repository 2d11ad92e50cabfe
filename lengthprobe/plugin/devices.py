"""Devices: the accelerators that a session may use, with their memory, found without torch where possible."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CUDA, HIP = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"
_SMI_LINE = re.compile(
    r"^\s*(?:GPU (?P<number>\d+)|MIG (?P<profile>\S+)).*\(UUID: (?P<uuid>[^)]+)\)", re.MULTILINE
)
# The name of a part says its memory: 3g.20gb.
_PART_MEMORY = re.compile(r"\.(\d+)gb")
_GB, _MIB = 10**9, 1 << 20
# Files that the drivers of NVIDIA and AMD, and Windows for Linux, make where there is a GPU.
_DEVICE_FILES = ("nvidia[0-9]*", "kfd", "dxg")
_ASK_TORCH = """
import json, torch
count = torch.cuda.device_count()
memory = [torch.cuda.get_device_properties(index).total_memory for index in range(count)]
print(json.dumps([torch.version.hip is not None, memory]))
"""
_SMI_TIMEOUT_S, _TORCH_TIMEOUT_S = 30, 180


@dataclass(frozen=True, slots=True)
class Device:
    """An accelerator.

    Args:
        name: The name in the variable that shows accelerators to a process.
        memory: The memory in bytes, None where nothing tells.
        is_part: Whether the device is a part of a divided GPU (MIG): a process sees a single part.
    """

    name: str
    memory: int | None = None
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Devices:
    """The accelerators for the caller's use.

    Args:
        each: The accelerators, empty without any.
        variable: The variable of the environment that shows accelerators to a process.
    """

    each: tuple[Device, ...] = ()
    variable: str = CUDA


def visible_devices(
    environment: Mapping[str, str] = os.environ, *, device_files: Path = Path("/dev")
) -> Devices:
    """The accelerators for the caller's use.

    nvidia-smi is asked first. Where nvidia-smi is missing or fails, and a driver has made files for GPUs,
    torch is asked in a process of its own, so for GPUs of AMD too. Where neither knows of a GPU, the
    caller's own list is taken as it stands.

    Args:
        environment: CUDA_VISIBLE_DEVICES and HIP_VISIBLE_DEVICES count.
        device_files: The folder of the device files.

    Raises:
        pytest.UsageError: The caller's list names a device twice, or names no device; or nobody knows which
            GPUs there are.
    """
    stated = environment.get(CUDA)
    listed, memory = _smi("-L"), ""
    if listed:
        memory = _smi("--query-gpu=uuid,memory.total", "--format=csv,noheader,nounits") or ""
        return Devices(_chosen(stated, *listed_devices(listed, memory)))
    if any(True for name in _DEVICE_FILES for _ in device_files.glob(name)):
        return _devices_of_torch(environment)
    if stated is None:
        return Devices()
    return Devices(tuple(Device(name, is_part=name.startswith("MIG-")) for name in _names(stated, CUDA)))


def listed_devices(listed: str, memory: str = "") -> tuple[tuple[Device, ...], tuple[Device, ...]]:
    """The GPUs, and the parts of divided GPUs.

    Args:
        listed: The output of `nvidia-smi -L`.
        memory: The uuid and the MiB of each GPU, a line each.
    """
    sizes = {
        uuid.strip(): int(size) * _MIB
        for uuid, _, size in (line.partition(",") for line in memory.splitlines())
        if size.strip().isdigit()
    }
    gpus, parts = [], []
    for line in _SMI_LINE.finditer(listed):
        if line["profile"] is None:
            gpus.append(Device(line["uuid"], sizes.get(line["uuid"])))
        else:
            size = _PART_MEMORY.search(line["profile"])
            parts.append(Device(line["uuid"], int(size[1]) * _GB if size else None, is_part=True))
    return tuple(gpus), tuple(parts)


def _chosen(stated: str | None, gpus: Sequence[Device], parts: Sequence[Device]) -> tuple[Device, ...]:
    """The devices in the caller's list; without a list, the parts if there are any, else the GPUs."""
    if stated is None:
        return tuple(parts or gpus)
    found = {name: _find(name, stated, gpus, parts) for name in _names(stated, CUDA)}
    names: dict[str, str] = {}
    for name, device in found.items():
        if device.name in names:
            raise pytest.UsageError(
                f"{CUDA}={stated} names a device twice ({names[device.name]} and {name}), and no device is "
                f"shown then\n  fix: leave {name} out of {CUDA}"
            )
        names[device.name] = name
    if parts and len(found) > 1 and any(name.isdigit() for name in found):
        raise pytest.UsageError(
            f"{CUDA}={stated} names GPUs by number, and GPUs here are divided (MIG): by number, a single "
            f"part is shown\n  fix: {CUDA}={','.join(part.name for part in parts)}"
        )
    # A process reads names of a single kind.
    if len({name.isdigit() for name in found}) > 1:
        raise pytest.UsageError(
            f"{CUDA}={stated} names devices by number and by UUID, and CUDA reads one kind only\n"
            f"  fix: {CUDA}={','.join(one.name for one in parts or gpus)}, or some of these"
        )
    return tuple(found.values())


def _find(name: str, stated: str, gpus: Sequence[Device], parts: Sequence[Device]) -> Device:
    """The device with a name: a number, a UUID, or the beginning of a UUID."""
    if name.isdigit():
        # CUDA and nvidia-smi may count in different orders, so the smallest memory stands for all.
        sizes = [gpu.memory for gpu in gpus if gpu.memory is not None]
        if int(name) < len(gpus):
            return Device(name, min(sizes) if len(sizes) == len(gpus) and not parts else None, bool(parts))
    else:
        every = [*gpus, *parts]
        matching = [one for one in every if one.name == name] or [
            one for one in every if one.name.startswith(name) and name.startswith(("GPU-", "MIG-"))
        ]
        if len(matching) == 1:
            return matching[0]
        if matching:
            raise pytest.UsageError(
                f"{CUDA}={stated}: {len(matching)} devices begin with {name}\n"
                f"  fix: write more of the UUID: {', '.join(one.name for one in matching)}"
            )
    shown = parts or [Device(str(number)) for number in range(len(gpus))]
    raise pytest.UsageError(
        f"{CUDA}={stated} names {name}, which is no device of this machine (nvidia-smi -L shows all)\n"
        f"  fix: {CUDA}={','.join(one.name for one in shown)}, or some of these"
    )


def _names(stated: str, variable: str) -> tuple[str, ...]:
    """The names in a caller's list, up to the first entry at which CUDA itself stops: empty, or negative."""
    entries = [entry.strip() for entry in stated.split(",")]
    stop = next(
        (at for at, entry in enumerate(entries) if not entry or re.fullmatch(r"-\d+", entry)), len(entries)
    )
    names = tuple(entries[:stop])
    if doubled := next((name for at, name in enumerate(names) if name in names[:at]), None):
        raise pytest.UsageError(
            f"{variable}={stated} names {doubled} twice, and no device is shown then\n"
            f"  fix: {variable}={','.join(dict.fromkeys(names))}"
        )
    return names


def _devices_of_torch(environment: Mapping[str, str]) -> Devices:
    """The accelerators that torch sees, asked in a process of its own: here torch would keep them."""
    try:
        told = subprocess.run(
            [sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, timeout=_TORCH_TIMEOUT_S,
            check=True, env={**os.environ, **environment},
        ).stdout  # fmt: skip
        is_hip, memory = json.loads(told.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        raise pytest.UsageError(
            "there are files of GPUs in /dev, and neither nvidia-smi nor torch tells which GPUs there are "
            f"({type(error).__name__})\n"
            "  fix: -n 0 (a single process); or, to compute on the CPU: --lengthprobe-device-map=cpu"
        ) from error
    variable = HIP if is_hip else CUDA
    stated = environment.get(variable, environment.get(CUDA))
    if not memory:
        return Devices((), variable)
    names = tuple(map(str, range(len(memory)))) if stated is None else _names(stated, variable)
    if len(names) != len(memory):
        raise pytest.UsageError(
            f"{variable}={stated} names {len(names)} devices, and torch sees {len(memory)}\n"
            f"  fix: leave out of {variable} the names that are no device of this machine"
        )
    sizes = zip(names, memory, strict=True)
    return Devices(tuple(Device(name, size, name.startswith("MIG-")) for name, size in sizes), variable)


def _smi(*options: str) -> str | None:
    """The output of nvidia-smi, None where nvidia-smi is missing or fails."""
    try:
        return subprocess.run(
            ["nvidia-smi", *options], capture_output=True, text=True, timeout=_SMI_TIMEOUT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
