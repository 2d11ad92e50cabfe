"""Which accelerators a session may use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lengthprobe.plugin import devices
from lengthprobe.plugin.devices import Device, Devices, listed_devices, visible_devices

GPUS = """\
GPU 0: NVIDIA H200 (UUID: GPU-aaaa)
GPU 1: NVIDIA H200 (UUID: GPU-aabb)
"""
MEMORY = "GPU-aaaa, 1000\nGPU-aabb, 2000\n"
DIVIDED = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-cccc)
  MIG 3g.20gb     Device  1: (UUID: MIG-dddd)
"""
MIB = 1 << 20


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a function that puts an nvidia-smi with two answers before all other programs."""

    def put(listed, memory="", status=0):
        program = tmp_path / "nvidia-smi"
        program.write_text(
            f"#!/bin/sh\ncase $1 in -L) cat <<'END'\n{listed}END\n;; *) cat <<'END'\n{memory}END\n;; esac\n"
            f"exit {status}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return put


@pytest.fixture
def no_smi(monkeypatch, tmp_path):
    """A machine without nvidia-smi, and without files of GPUs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def names(stated=None):
    """The names of the devices under a list of the caller's."""
    environment = {} if stated is None else {"CUDA_VISIBLE_DEVICES": stated}
    return [device.name for device in visible_devices(environment).each]


def refusal(stated):
    """The message and the fix with which a list is refused."""
    with pytest.raises(pytest.UsageError) as raised:
        names(stated)
    message, _, fix = str(raised.value).partition("\n  fix: ")
    return message, fix


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("0,1", ["0", "1"]),
        (" 1 , 0 ", ["1", "0"]),
        ("1", ["1"]),
        ("GPU-aaaa, GPU-aab", ["GPU-aaaa", "GPU-aabb"]),
        ("", []),
        (" ", []),
        ("-1", []),
        ("1,-1,0", ["1"]),
        ("1,,0", ["1"]),
    ],
)
def test_the_callers_list_is_read_as_cuda_reads_it(machine, stated, found):
    """Up to an entry that is no device, with shortened UUIDs, and with spaces that CUDA stumbles over."""
    machine(GPUS, MEMORY)

    assert names(stated) == found


def test_without_a_list_all_devices_of_the_machine_are_there(machine):
    """With the memory of each."""
    machine(GPUS, MEMORY)

    assert visible_devices({}).each == (Device("GPU-aaaa", 1000 * MIB), Device("GPU-aabb", 2000 * MIB))


def test_a_number_has_the_smallest_memory(machine):
    """CUDA may count the GPUs in another order than nvidia-smi."""
    machine(GPUS, MEMORY)

    assert visible_devices({"CUDA_VISIBLE_DEVICES": "1"}).each == (Device("1", 1000 * MIB),)


@pytest.mark.parametrize(
    ("stated", "problem", "fix"),
    [
        ("0,0", "names 0 twice", "CUDA_VISIBLE_DEVICES=0"),
        ("GPU-aaaa,GPU-aaa", "names a device twice (GPU-aaaa and GPU-aaa)", "leave GPU-aaa out of"),
        ("0,7", "names 7, which is no device of this machine", "CUDA_VISIBLE_DEVICES=0,1, or some of these"),
        ("GPU-x", "names GPU-x, which is no device", "CUDA_VISIBLE_DEVICES=0,1"),
        ("1gpu", "names 1gpu, which is no device", "CUDA_VISIBLE_DEVICES=0,1"),
        ("GPU-aa", "2 devices begin with GPU-aa", "write more of the UUID: GPU-aaaa, GPU-aabb"),
        ("0,GPU-aabb", "by number and by UUID", "CUDA_VISIBLE_DEVICES=GPU-aaaa,GPU-aabb"),
    ],
)
def test_a_list_that_cuda_would_not_read_so_is_refused(machine, stated, problem, fix):
    """With the next thing to type."""
    machine(GPUS, MEMORY)

    told = refusal(stated)

    assert problem in told[0]
    assert told[1].startswith(fix)


class TestDividedGpus:
    """GPUs that are divided into parts (MIG)."""

    def test_parts_are_the_devices(self, machine):
        """And the GPU that they are parts of is not. The name of a part tells its memory."""
        machine(DIVIDED, "GPU-aaaa, 40000\n")

        assert visible_devices({}).each == (
            Device("MIG-cccc", 20 * 10**9, is_part=True),
            Device("MIG-dddd", 20 * 10**9, is_part=True),
        )

    def test_parts_are_named_by_uuid(self, machine):
        """Shortened or not."""
        machine(DIVIDED)

        assert names("MIG-cccc,MIG-d") == ["MIG-cccc", "MIG-dddd"]

    def test_several_numbers_are_refused(self, machine):
        """By number, CUDA shows a single part."""
        machine(DIVIDED + "GPU 1: NVIDIA H200 (UUID: GPU-bbbb)\n")

        problem, fix = refusal("0,1")

        assert "divided (MIG)" in problem
        assert fix == "CUDA_VISIBLE_DEVICES=MIG-cccc,MIG-dddd"

    def test_listed_devices_without_memory(self):
        """A driver that does not tell the memory."""
        assert listed_devices(GPUS, "GPU-aaaa, [N/A]\n") == ((Device("GPU-aaaa"), Device("GPU-aabb")), ())


class TestWithoutNvidiaSmi:
    """Machines on which nvidia-smi is missing or fails."""

    def test_there_is_no_device_without_files_of_a_driver(self, no_smi):
        """A machine with a CPU alone; torch is not asked."""
        assert visible_devices({}, device_files=no_smi) == Devices()

    def test_the_callers_list_is_taken_as_it_stands(self, no_smi):
        """Nothing here tells more; a device that is named twice is refused all the same."""
        each = visible_devices({"CUDA_VISIBLE_DEVICES": "GPU-x, 5,-1,7"}, device_files=no_smi).each
        assert [device.name for device in each] == ["GPU-x", "5"]
        with pytest.raises(pytest.UsageError, match="names 5 twice"):
            visible_devices({"CUDA_VISIBLE_DEVICES": "5,5"}, device_files=no_smi)

    @pytest.fixture
    def torch_says(self, no_smi, monkeypatch):
        """Return a function that makes the file of a driver, and what torch says."""

        def say(told, file="nvidia0"):
            (no_smi / file).touch()
            monkeypatch.setattr(devices, "_ASK_TORCH", f"print('a warning'); print('{told}')")
            return no_smi

        return say

    def test_torch_is_asked_where_a_driver_has_made_files(self, torch_says):
        """Two GPUs, so two workers have a GPU each, and not all the first."""
        found = visible_devices({}, device_files=torch_says("[false, [5, 6]]"))

        assert found == Devices((Device("0", 5), Device("1", 6)), "CUDA_VISIBLE_DEVICES")

    @pytest.mark.parametrize(
        ("environment", "found"),
        [
            ({}, ["0", "1"]),
            ({"HIP_VISIBLE_DEVICES": "2,3"}, ["2", "3"]),
            ({"CUDA_VISIBLE_DEVICES": "4,5"}, ["4", "5"]),
        ],
    )
    def test_gpus_of_amd_are_shown_by_their_own_variable(self, torch_says, environment, found):
        """ROCm has no nvidia-smi."""
        told = visible_devices(environment, device_files=torch_says("[true, [5, 6]]", "kfd"))

        assert ([device.name for device in told.each], told.variable) == (found, "HIP_VISIBLE_DEVICES")

    def test_torch_without_gpus_means_a_cpu(self, torch_says):
        """As a torch that was built for CPUs."""
        assert visible_devices({}, device_files=torch_says("[false, []]")).each == ()

    def test_names_that_torch_does_not_see_are_refused(self, torch_says):
        """CUDA stops at the first."""
        folder = torch_says("[false, [5]]")
        with pytest.raises(pytest.UsageError, match="names 2 devices, and torch sees 1"):
            visible_devices({"CUDA_VISIBLE_DEVICES": "0,9"}, device_files=folder)

    def test_what_nobody_tells_is_refused(self, torch_says):
        """No worker is put on a device by guess."""
        with pytest.raises(pytest.UsageError, match="neither nvidia-smi nor torch tells") as raised:
            visible_devices({}, device_files=torch_says("no json"))
        assert "--lengthprobe-device-map=cpu" in str(raised.value)

    def test_an_nvidia_smi_that_fails_is_as_none(self, machine, tmp_path):
        """The driver is another than the library."""
        machine("", status=9)

        assert visible_devices({}, device_files=tmp_path / "nowhere").each == ()


def test_torch_answers_in_the_expected_form():
    """The program that is run in another process."""
    told = subprocess.run(
        [sys.executable, "-c", devices._ASK_TORCH], capture_output=True, text=True, check=True
    ).stdout

    import torch

    count = torch.cuda.device_count()
    assert told.startswith("[true" if torch.version.hip else "[false")
    assert told.count(",") == max(count, 1)
