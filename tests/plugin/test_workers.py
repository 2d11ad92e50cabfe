"""Processes that share a model's work, and the accelerators of the machine."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading

import pytest

from lengthprobe.plugin.device_groups import Groups
from lengthprobe.plugin.devices import Device
from lengthprobe.plugin.exit_status import ExitStatus
from lengthprobe.plugin.workers import DealtDevices, SharedDirectory, share_cores


def upper(key):
    """The bytes of a key in capitals."""
    return key.upper().encode()


class TestExchange:
    """What one process makes for all."""

    def test_gives_the_bytes_of_every_key_in_order(self, tmp_path):
        """Made here, where nobody else makes them."""
        made = SharedDirectory(tmp_path).gather(["b", "a"], upper)

        assert list(made.items()) == [("b", b"B"), ("a", b"A")]

    def test_makes_nothing_twice(self, tmp_path):
        """What one has made, the next reads."""
        SharedDirectory(tmp_path).gather(["a", "b"], upper)
        asked = []

        found = SharedDirectory(tmp_path).gather(["b", "c"], lambda key: asked.append(key) or b"new")

        assert found == {"b": b"B", "c": b"new"}
        assert asked == ["c"]

    def test_takes_what_nobody_makes_and_waits_for_the_rest(self, tmp_path):
        """While another makes one thing, this one makes the others."""
        begun, go_on = threading.Event(), threading.Event()

        def slowly(key):
            begun.set()
            go_on.wait(10)
            return f"slow {key}".encode()

        other = threading.Thread(target=lambda: SharedDirectory(tmp_path).gather(["a"], slowly))
        other.start()
        begun.wait(10)

        def quickly(key):
            go_on.set()
            return f"quick {key}".encode()

        found = SharedDirectory(tmp_path).gather(["a", "b"], quickly)
        other.join()

        assert found == {"a": b"slow a", "b": b"quick b"}

    def test_failure_is_not_shared(self, tmp_path):
        """Who fails says so; the next tries, and leaves no half file."""
        with pytest.raises(ZeroDivisionError):
            SharedDirectory(tmp_path).gather(["a"], lambda _: 1 / 0)

        assert SharedDirectory(tmp_path).gather(["a"], upper) == {"a": b"A"}

    def test_what_a_dead_process_left_is_made_by_another(self, tmp_path):
        """Its claim ends with it."""
        died = textwrap.dedent(f"""
            import os
            from pathlib import Path
            from lengthprobe.plugin.workers import SharedDirectory
            exchange = SharedDirectory(Path({str(tmp_path)!r}))
            exchange.gather(["a", "b"], lambda key: b"A" if key == "a" else os._exit(9))
        """)
        assert subprocess.run([sys.executable, "-c", died], check=False).returncode == 9

        found = SharedDirectory(tmp_path).gather(["a", "b"], lambda key: f"again {key}".encode())

        assert found == {"a": b"A", "b": b"again b"}

    @pytest.mark.parametrize("sent", [b"", b"\r\n\x00", bytes(range(256)), json.dumps("è\ud800").encode()])
    def test_any_bytes_go_through(self, tmp_path, sent):
        """Arrays are no text, and what a model wrote can be anything."""
        assert SharedDirectory(tmp_path).gather(["a"], lambda _: sent) == {"a": sent}
        assert SharedDirectory(tmp_path).gather(["a"], lambda _: b"another") == {"a": sent}


class TestDealtDevices:
    """Which worker has which accelerators."""

    GROUPS = Groups(((Device("0"), Device("1")), (Device("2"), Device("3"))), "CUDA_VISIBLE_DEVICES", 2)

    def test_each_worker_has_a_group_of_its_own(self):
        """And a third worker shares one."""
        dealt = DealtDevices(self.GROUPS)

        shown = [dealt.take(worker)["CUDA_VISIBLE_DEVICES"] for worker in ("gw0", "gw1", "gw2")]

        assert shown == ["0,1", "2,3", "0,1"]

    def test_a_replaced_worker_has_the_group_of_the_one_that_died(self):
        """Its name is new, and by the name the group would be another's."""
        dealt = DealtDevices(self.GROUPS)
        dealt.take("gw0")
        gone = dealt.take("gw1")

        dealt.give_back("gw1")

        assert dealt.take("gw2") == gone

    def test_environment_is_left_alone_where_there_are_none(self):
        """A worker on a CPU has its environment as it was."""
        assert DealtDevices(Groups()).take("gw0") == {}


class TestSession:
    """Sessions of several processes."""

    SHOW = """
@pytest.mark.claim
@pytest.mark.parametrize("copy", range(4))
def test_it(probe, copy, worker_id):
    import os, pathlib
    pathlib.Path(f"device-{worker_id}").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
    assert measures.exact_match(probe, language="en") > 0.5
"""

    def test_each_worker_has_a_device_of_the_callers(self, project, monkeypatch):
        """Dealt out before torch is imported."""
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-x,GPU-y")
        project.claims(self.SHOW)

        result = project.pytester.runpytest_subprocess("-n", "2", "--dist=each")

        result.assert_outcomes(passed=8)
        assert (project.path / "device-gw0").read_text() == "GPU-x"
        assert (project.path / "device-gw1").read_text() == "GPU-y"

    def test_named_device_is_not_dealt_out(self, project, monkeypatch):
        """Who names a device has chosen."""
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-x,GPU-y")
        project.claims(self.SHOW)

        project.pytester.runpytest_subprocess("-n", "1", "--lengthprobe-device-map=cpu")

        assert (project.path / "device-gw0").read_text() == "GPU-x,GPU-y"

    @pytest.mark.parametrize(("devices", "workers"), [("0,1,2", 3), ("5", 1)])
    def test_auto_means_one_worker_a_device(self, project, monkeypatch, devices, workers):
        """`-n auto` asks how many."""
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
        monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
        config = project.pytester.parseconfigure("-p", "no:cacheprovider")

        assert config.hook.pytest_xdist_auto_num_workers(config=config) == workers

    def test_auto_is_xdists_own_where_no_model_is_named(self, pytester, monkeypatch):
        """Other projects have their processors."""
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
        monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "7")
        config = pytester.parseconfigure()

        assert config.hook.pytest_xdist_auto_num_workers(config=config) == 7

    def test_load_failure_in_workers_is_an_error_in_each_claim(self, project):
        """The controller has the cause of every one."""
        project.claims(self.SHOW)
        (project.path / "empty").mkdir()
        project.ini(lengthprobe_model="./empty")

        result = project.pytester.runpytest_subprocess("-n", "2")

        result.assert_outcomes(errors=4)
        result.stdout.fnmatch_lines(["error in 4 claims: *config.json*", "*4 errors, 0 skipped"])

    def test_what_does_not_run_is_said_by_the_controller(self, project):
        """Which collects nothing itself."""
        project.claims("@pytest.mark.claim(kind='replication')\ndef test_it(probe):\n    pass\n")

        result = project.pytester.runpytest_subprocess("-n", "2")

        assert result.ret == ExitStatus.NOT_MEASURED
        result.stdout.fnmatch_lines(["not run: 1 replication of*", "*no claim was decided*"])

    def test_other_workers_go_on_where_one_dies(self, project):
        """A worker that dies while it asks leaves its prompts to the others."""
        project.claims(self.SHOW)
        project.pytester.makeconftest(
            "import os, pathlib\nfrom lengthprobe.asking import answering\n\n"
            "answer = answering.answer\n\n\n"
            "def die_once(*args, **how):\n"
            "    flag = pathlib.Path('died')\n"
            "    if not flag.exists():\n"
            "        flag.touch()\n"
            "        os._exit(9)\n"
            "    return answer(*args, **how)\n\n\n"
            "def pytest_collection_finish():\n    answering.answer = die_once\n"
        )

        result = project.pytester.runpytest_subprocess("-n", "2", "--lengthprobe-json=out.json")

        report = json.loads((project.path / "out.json").read_text())
        # The test in which a worker died has no verdict.
        assert result.ret == ExitStatus.NOT_MEASURED
        assert report["totals"] == {
            "holds": 3,
            "broken": 0,
            "undecided": 0,
            "error": 1,
            "skipped": 0,
            "reported": 0,
            "waived": 0,
            "missing": 0,
        }

    def test_nothing_is_left_behind(self, project, monkeypatch, tmp_path):
        """What the workers shared is removed."""
        monkeypatch.setenv("TMPDIR", str(tmp_path))

        project.pytester.runpytest_subprocess("-n", "2")

        assert list(tmp_path.glob("lengthprobe-*")) == []


def test_workers_share_the_cores(monkeypatch):
    """Two workers on six cores compute with three threads each, at least one; what the caller set stays."""
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    shares = {}
    for workers in (2, 12):
        share_cores(workers, shares.setdefault(workers, {}))
    assert shares == {2: {"OMP_NUM_THREADS": "3"}, 12: {"OMP_NUM_THREADS": "1"}}

    told = {"OMP_NUM_THREADS": "5"}
    share_cores(2, told)
    assert told == {"OMP_NUM_THREADS": "5"}
