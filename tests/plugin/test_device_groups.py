"""How many accelerators each worker has, and which checkpoints do not fit."""

from __future__ import annotations

import json

import pytest

from lengthprobe.plugin import device_groups
from lengthprobe.plugin.device_groups import group_devices, groups_of
from lengthprobe.plugin.devices import Device, Devices
from lengthprobe.settings import Settings

GB = 10**9


def gpus(*sizes):
    """Accelerators of so many GB."""
    return tuple(Device(str(at), size * GB) for at, size in enumerate(sizes))


def grouped(devices, needed):
    """The names in each group."""
    return [[device.name for device in group] for group in group_devices(devices, int(needed * GB))]


@pytest.mark.parametrize(
    ("needed", "groups"),
    [
        # 85 % of 10 GB hold 8.5 GB.
        (8.5, [["0"], ["1"], ["2"], ["3"]]),
        (8.6, [["0", "1"], ["2", "3"]]),
        (17.1, [["0", "1", "2"]]),
        (34.5, [["0", "1", "2", "3"]]),
        (0, [["0"], ["1"], ["2"], ["3"]]),
    ],
)
def test_a_worker_has_as_many_devices_as_the_weights_need(needed, groups):
    """With head room; a remainder that is too small stays idle."""
    assert grouped(gpus(10, 10, 10, 10), needed) == groups


def test_small_devices_are_put_together():
    """Each group by its own memory."""
    assert grouped(gpus(20, 5, 5, 10), 8) == [["0"], ["1", "2"], ["3"]]


def test_devices_of_unknown_memory_and_parts_stay_alone():
    """A process sees a single part of divided GPUs."""
    assert grouped((Device("0"), Device("1", GB)), 5) == [["0"], ["1"]]
    parts = tuple(Device(name, 10 * GB, is_part=True) for name in ("MIG-a", "MIG-b"))
    assert grouped(parts, 15) == [["MIG-a"], ["MIG-b"]]


@pytest.fixture
def session(pytester, monkeypatch):
    """Return a function that gives the groups of a session, with sizes by name, on some devices."""
    monkeypatch.setattr(device_groups, "available_memory", lambda: 100 * GB)

    def make(sizes, devices, *options, workers=None, **settings):
        def weights(name, settings, **_):
            size = sizes.get(name)
            if size is None:
                return None
            return int(size * GB / (2 if settings.dtype == "bfloat16" else 1))

        monkeypatch.setattr(device_groups, "weight_memory", weights)
        monkeypatch.setattr(device_groups, "visible_devices", lambda: Devices(devices))
        config = pytester.parseconfigure("--lengthprobe-model=tiny-it", *options)
        return groups_of(config, Settings(**settings), workers)

    return make


def test_auto_means_a_worker_a_group(session):
    """A model of 12 GB takes two of four GPUs of 10 GB."""
    groups = session({"tiny-it": 12}, gpus(10, 10, 10, 10))

    assert (len(groups.each), groups.number(64), groups.variable) == (2, 2, "CUDA_VISIBLE_DEVICES")


def test_base_and_reference_count_too(session):
    """A worker loads all three: 3 GB each fit two GPUs of 6 GB."""
    every = {"tiny-it": 3, "tiny-base": 3, "tiny-it-2": 3}
    alone = session({"tiny-it": 3}, gpus(6, 6))
    three = session(every, gpus(6, 6), "--lengthprobe-base=tiny-base", "--lengthprobe-reference=tiny-it-2")

    assert (len(alone.each), len(three.each)) == (2, 1)


def test_a_checkpoint_too_large_for_all_devices_is_refused_by_name(session):
    """Before anything is loaded, with a format in which it would be smaller."""
    with pytest.raises(pytest.UsageError) as raised:
        session({"tiny-it": 21}, gpus(10, 10))

    assert str(raised.value) == (
        "tiny-it does not fit: its weights take 21.0 GB, and the 2 GPUs together have 20.0 GB\n"
        "  fix: --lengthprobe-dtype=bfloat16, or more GPUs, or --lengthprobe-device-map=cpu"
    )


def test_a_part_of_a_gpu_must_hold_the_checkpoint_alone(session):
    """Parts are not put together."""
    parts = tuple(Device(name, 10 * GB, is_part=True) for name in ("MIG-a", "MIG-b"))
    with pytest.raises(pytest.UsageError, match=r"the largest GPU has 10\.0 GB"):
        session({"tiny-it": 12}, parts)


def test_more_workers_than_the_devices_hold_are_refused(session):
    """Two copies of 6 GB do not fit a GPU of 10 GB."""
    assert len(session({"tiny-it": 4}, gpus(10, 10), workers=4).each) == 2
    with pytest.raises(pytest.UsageError) as raised:
        session({"tiny-it": 6}, gpus(10, 10), workers=3)

    assert "3 workers do not fit: each loads tiny-it (6.0 GB), and the GPUs hold 2" in str(raised.value)
    assert "fix: -n 2" in str(raised.value)


@pytest.mark.parametrize(("where", "workers"), [("cuda:1", 1), ("balanced", 1), ("cpu", 8)])
def test_a_named_device_is_not_dealt_out(session, where, workers):
    """One worker has the named device, or all devices; on a CPU, the cores decide."""
    groups = session({"tiny-it": 1}, gpus(10, 10), device_map=where)

    assert (groups.each, groups.number(8)) == ((), workers)


def test_main_memory_holds_so_many_workers(session):
    """`-n auto` takes no more; a larger number is refused, once and before any worker starts."""
    sizes = {"tiny-it": 30, "tiny-base": 4}
    assert session(sizes, (), "--lengthprobe-base=tiny-base").number(8) == 2
    with pytest.raises(pytest.UsageError) as raised:
        session(sizes, (), "--lengthprobe-base=tiny-base", workers=4)

    assert str(raised.value) == (
        "4 workers load tiny-it (30.0 GB) and tiny-base (4.0 GB) each, 136.0 GB in all, and 100.0 GB of "
        "memory are free\n  fix: --lengthprobe-dtype=bfloat16, or -n 2"
    )


SHOW = """
@pytest.mark.claim
@pytest.mark.parametrize("copy", range(4))
def test_it(probe, copy, worker_id):
    import os, pathlib
    pathlib.Path(f"device-{worker_id}").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
    assert measures.exact_match(probe, language="en") > 0.5
"""
SMI = """#!/bin/sh
case $1 in
-L) for gpu in 0 1 2 3; do echo "GPU $gpu: NVIDIA (UUID: GPU-$gpu)"; done ;;
*) for gpu in 0 1 2 3; do echo "GPU-$gpu, {mib}"; done ;;
esac
"""


@pytest.fixture
def four_gpus(project, tmp_path_factory, monkeypatch):
    """Return a function that gives the project's machine four GPUs of so many MiB."""

    def make(mib):
        folder = tmp_path_factory.mktemp("bin")
        (folder / "nvidia-smi").write_text(SMI.replace("{mib}", str(mib)))
        (folder / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
        return project

    return make


def test_workers_of_a_session_have_disjoint_groups(four_gpus):
    """Whose GPUs of 1 MiB are so small that the model takes two: 1.48 MB in float32."""
    project = four_gpus(1)
    project.claims(SHOW)
    project.ini(lengthprobe_dtype="float32", lengthprobe_base="tiny-it")

    result = project.pytester.runpytest_subprocess("-n", "auto", "--dist=each")

    result.assert_outcomes(passed=8)
    shown = {path.name: path.read_text() for path in project.path.glob("device-*")}
    assert shown == {"device-gw0": "GPU-0,GPU-1", "device-gw1": "GPU-2,GPU-3"}


def test_a_session_is_refused_before_any_worker_starts(four_gpus):
    """In one line, and no report of a crash."""
    project = four_gpus(0)

    result = project.pytester.runpytest_subprocess("-n", "auto", "--lengthprobe-base=tiny-it")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: tiny-it does not fit: its weights take *", "*fix: *"])


def test_a_wrong_list_of_devices_is_refused(four_gpus, monkeypatch):
    """Before any worker starts."""
    project = four_gpus(1000)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,4")

    result = project.pytester.runpytest_subprocess("-n", "2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: CUDA_VISIBLE_DEVICES=0,4 names 4*", "*fix: CUDA_VISIBLE_DEVICES=0,1,2,3*"]
    )
    assert json.dumps(result.outlines).count("Traceback") == 0
