"""Device groups: each worker's own accelerators, as many as the weights of the checkpoints need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from lengthprobe.checkpoints.footprint import USABLE_MEMORY, weight_memory
from lengthprobe.checkpoints.main_memory import available_memory
from lengthprobe.errors import LengthprobeError
from lengthprobe.plugin.devices import Devices, visible_devices
from lengthprobe.plugin.options import name_in_role
from lengthprobe.reporting.ledger import ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.plugin.devices import Device
    from lengthprobe.settings import Settings

_SPREAD = ("balanced", "balanced_low_0", "sequential")
_GB = 10**9


@dataclass(frozen=True, slots=True)
class Groups:
    """The accelerators of a session's workers.

    Args:
        each: The accelerators of each worker, in turn; empty where no worker has accelerators of its own.
        variable: The variable of the environment that shows accelerators to a worker.
        most: The most workers that make sense; None where the cores alone decide.
        is_on_devices: Whether the workers compute on accelerators.
    """

    each: tuple[tuple[Device, ...], ...] = ()
    variable: str = ""
    most: int | None = None
    is_on_devices: bool = False

    def number(self, cores: int) -> int:
        """The number of workers that `-n auto` means, where xdist's own number is that of the cores."""
        if self.most is None:
            return cores
        return self.most if self.is_on_devices else min(cores, self.most)


def groups_of(config: pytest.Config, settings: Settings, workers: int | None = None) -> Groups:
    """The accelerators for each worker of a session.

    Args:
        config: Names the checkpoints.
        settings: Number format and device count.
        workers: The number of workers, None while the number is not known.

    Raises:
        pytest.UsageError: The list of accelerators is wrong, or the weights of the checkpoints do not fit.
    """
    where = settings.device_map
    devices = Devices() if where == "cpu" else visible_devices()
    sizes = _sizes(config, settings, on_cpu=not devices.each)
    if not devices.each:
        return _on_cpu(sizes, settings, workers)
    if where in _SPREAD:
        groups = Groups((), most=1, is_on_devices=True)
        on: tuple[tuple[Device, ...], ...] = (devices.each,)
    elif where != "auto":
        groups, on = Groups((), most=1, is_on_devices=True), _named(where, devices)
    else:
        on = group_devices(devices.each, sum(sizes.values()))
        groups = Groups(on, devices.variable, len(on), is_on_devices=True)
    if on:
        _refuse_too_large(sizes, on, settings, workers or 1)
    return groups


def group_devices(devices: Sequence[Device], needed: int) -> tuple[tuple[Device, ...], ...]:
    """Some devices in groups; a group has the memory for the weights and the head room.

    Devices at the end that are too few for a further group stay idle. Where all devices together are too
    small for the head room, all are a single group.

    Args:
        devices: The devices.
        needed: The bytes of the weights, 0 where not known.
    """
    if any(device.memory is None or device.is_part for device in devices) or not needed:
        return tuple((device,) for device in devices)
    groups: list[tuple[Device, ...]] = []
    group: list[Device] = []
    for device in devices:
        group.append(device)
        if needed <= USABLE_MEMORY * _memory(group):
            groups.append(tuple(group))
            group = []
    return tuple(groups) or (tuple(devices),)


def _sizes(config: pytest.Config, settings: Settings, *, on_cpu: bool) -> dict[str, int]:
    """The bytes of the weights of each checkpoint that a worker may load, as far as the files here tell."""
    from lengthprobe.plugin.saved_runs import reference_run

    found = {}
    for role in ROLES:
        name = name_in_role(config, role) or (_base(config) if role == "base" else None)
        # A worker that cannot read the run says so.
        try:
            if name is None or name in found or (role == "reference" and reference_run(config, name)):
                continue
        except LengthprobeError:
            continue
        size = weight_memory(name, settings, on_cpu=on_cpu)
        if size is not None:
            found[name] = size
    return found


def _base(config: pytest.Config) -> str | None:
    """The base that the alias or the files of the checkpoint name; the hub is not asked."""
    from lengthprobe.checkpoints.catalog import base_of, resolve

    name = name_in_role(config, "model")
    try:
        source = resolve(name) if name else None
        return base_of(source) if source is not None and source.kind != "hub" else None
    except LengthprobeError:
        return None


def _named(where: str, devices: Devices) -> tuple[tuple[Device, ...], ...]:
    """The group of a device that the caller names, as `cuda:1`; empty for a device of another kind."""
    kind, _, number = where.partition(":")
    at = int(number) if number.isdigit() else 0
    return ((devices.each[at],),) if kind == "cuda" and at < len(devices.each) else ()


def _on_cpu(sizes: dict[str, int], settings: Settings, workers: int | None) -> Groups:
    """No groups, and as many workers as the main memory holds."""
    available, needed = available_memory(), sum(sizes.values())
    if settings.device_map not in ("auto", "cpu") or available is None or not needed:
        return Groups()
    most = available // needed
    if workers is not None and workers > max(most, 1):
        fewer = f"-n {most}" if most > 1 else "-n 0"
        largest = max(sizes, key=lambda name: sizes[name])
        fix = _narrower(largest, sizes[largest], settings, fewer, on_cpu=True)
        raise pytest.UsageError(
            f"{workers} workers load {_told(sizes)} each, {_gb(workers * needed)} in all, and "
            f"{_gb(available)} of memory are free\n  fix: {fix}"
        )
    return Groups(most=max(most, 1))


def _refuse_too_large(
    sizes: dict[str, int], groups: Sequence[Sequence[Device]], settings: Settings, workers: int
) -> None:
    """Refuse checkpoints that the devices of a group cannot hold, and more workers than the groups hold."""
    memory = [_memory(group) for group in groups]
    # A base is loaded only where a claim asks the base.
    largest = max(sizes.items(), key=lambda item: item[1], default=None)
    if largest is None or any(device.memory is None for group in groups for device in group):
        return
    name, needed = largest
    n_devices = len(groups[0])
    if needed > max(memory):
        where = "the largest GPU has" if n_devices == 1 else f"the {n_devices} GPUs together have"
        otherwise = "more GPUs, or --lengthprobe-device-map=cpu"
        raise pytest.UsageError(
            f"{name} does not fit: its weights take {_gb(needed)}, and {where} {_gb(max(memory))}\n"
            f"  fix: {_narrower(name, needed, settings, otherwise, on_cpu=False)}"
        )
    most = sum(int(size // needed) for size in memory)
    if workers > most:
        raise pytest.UsageError(
            f"{workers} workers do not fit: each loads {name} ({_gb(needed)}), and the GPUs hold {most} of "
            f"them\n  fix: -n {len(groups)} (-n auto finds the number)"
        )


def _memory(group: Sequence[Device]) -> int:
    return sum(device.memory or 0 for device in group)


def _told(sizes: dict[str, int]) -> str:
    return " and ".join(f"{name} ({_gb(size)})" for name, size in sizes.items())


def _narrower(name: str, size: int, settings: Settings, otherwise: str, *, on_cpu: bool) -> str:
    """The next thing to type: a shorter number format where that makes the weights smaller, or the other."""
    shorter = weight_memory(name, replace(settings, dtype="bfloat16"), on_cpu=on_cpu)
    is_smaller = shorter is not None and shorter < size
    return f"--lengthprobe-dtype=bfloat16, or {otherwise}" if is_smaller else otherwise


def _gb(size: float) -> str:
    return f"{size / _GB:.1f} GB"
