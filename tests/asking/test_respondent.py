"""A checkpoint known from the last run: without loading where all is as it was, and never otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lengthprobe.asking import respondent
from lengthprobe.asking.store import Store
from lengthprobe.checkpoints import digests, files, held, loading, machine
from lengthprobe.checkpoints.precision import USUAL
from lengthprobe.errors import ModelError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 6, "cap": 8, "batch_size": 6, "languages": ("en",)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "store", pytest.fail)
    yield made
    made.close()


@pytest.fixture
def checkpoint(copy_of: Callable[..., Path], store: Store) -> Path:
    """A checkpoint that an earlier run asked."""
    path = copy_of()
    _ask(path, store)
    return path


def _ask(path: Path, store: Store, **settings: Any) -> list[Any]:
    probe = Probe(str(path), Settings(**SMALL | settings), store=store)
    return [probe.responses("en"), probe.identity(), probe.form, probe.proof.n_layers]


def _is_known(path: Path, store: Store, **settings: Any) -> bool:
    probe = Probe(str(path), Settings(**SMALL | settings), store=store)
    return probe.subject.respondent._recalled is not None


def test_an_unchanged_checkpoint_is_not_looked_at(
    checkpoint: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither located, nor placed, nor loaded; responses, identity, form and proof are the same."""
    first = _ask(checkpoint, store)
    for module, name in ((files, "locate"), (held.Held, "placement"), (loading, "load_checkpoint")):
        monkeypatch.setattr(module, name, None)

    again = _ask(checkpoint, store)

    assert again[0] == first[0]
    assert again[1:] == first[1:]


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def _add_token(path: Path) -> None:
    stated = json.loads(path.read_text())
    path.write_text(json.dumps(stated | {"clean_up": True}))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: _flip(path / "model.safetensors"), id="weights"),
        pytest.param(lambda path: _add_token(path / "config.json"), id="config"),
        pytest.param(lambda path: _add_token(path / "tokenizer_config.json"), id="tokenizer"),
        pytest.param(lambda path: (path / "chat_template.jinja").write_text("x"), id="template"),
        pytest.param(lambda path: (path / "adapter_model.bin").write_bytes(b""), id="a further file"),
        pytest.param(lambda path: (path / "config.json").unlink(), id="a missing file"),
    ],
)
def test_a_changed_file_makes_a_checkpoint_unknown(
    checkpoint: Path, store: Store, change: Callable[[Path], None]
) -> None:
    """Whichever file, and a file that comes or goes."""
    assert _is_known(checkpoint, store)
    change(checkpoint)
    assert not _is_known(checkpoint, store)


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (machine, "_packages", lambda: ["torch-0.1.dist-info"]),
        (machine, "_variables", lambda _environment: {"CUDA_VISIBLE_DEVICES": "1"}),
        (machine.platform, "python_version", lambda: "4.0"),
        (respondent, "source_digest", lambda *_more: "changed"),
        (respondent, "machine_facts", lambda _device_map: None),
        (respondent, "precision_flags", lambda: USUAL | {"float32 products": "tf32"}),
    ],
)
def test_another_machine_makes_a_checkpoint_unknown(
    checkpoint: Path, store: Store, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, value: Any
) -> None:
    """Packages, variables, Python, lengthprobe's own code, an unknown device, another precision."""
    assert _is_known(checkpoint, store)
    monkeypatch.setattr(owner, name, value)
    assert not _is_known(checkpoint, store)


@pytest.mark.parametrize("changed", [{"dtype": "bfloat16"}, {"batch_size": 3}, {"allow_remote_code": True}])
def test_other_settings_make_a_checkpoint_unknown(
    checkpoint: Path, store: Store, changed: dict[str, Any]
) -> None:
    """All settings that decide where and how a checkpoint runs."""
    assert not _is_known(checkpoint, store, **changed)


def test_settings_of_questions_alone_change_nothing(checkpoint: Path, store: Store) -> None:
    """Which prompts are asked has no part in how the checkpoint runs."""
    assert _is_known(checkpoint, store, budget=5, seed=3, alpha=0.1, languages=("it",))


def test_a_setting_of_torch_is_looked_at(checkpoint: Path, store: Store) -> None:
    """Where torch is there, its settings are; where it is not, nobody has set any."""
    torch.use_deterministic_algorithms(mode=True)
    try:
        assert not _is_known(checkpoint, store)
    finally:
        torch.use_deterministic_algorithms(mode=False)
    assert _is_known(checkpoint, store)


def test_facts_that_do_not_hold_end_the_run_before_an_answer(
    checkpoint: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a driver no longer finds its device; the next run finds out anew."""
    found_out = respondent.respondent_of
    monkeypatch.setattr(respondent, "respondent_of", lambda own: found_out(own) | {"device": "another"})

    with pytest.raises(ModelError, match="kept answers are of another device than this run has now"):
        _ask(checkpoint, store, seed=9)

    assert _ask(checkpoint, store, seed=9)[0]


class TestAccelerators:
    """What is known of accelerators without torch."""

    @staticmethod
    def facts(tmp_path: Path, device_map: str = "auto") -> dict[str, Any] | None:
        """The facts of a machine whose devices are files in a folder."""
        for folder in ("dev", "driver/gpus/0"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        return machine.machine_facts(device_map, devices=tmp_path / "dev", driver=tmp_path / "driver")

    def test_none(self, tmp_path: Path) -> None:
        """Then the CPU it is."""
        facts = self.facts(tmp_path)
        assert facts is not None
        assert facts["accelerators"] == []

    @pytest.mark.parametrize("name", ["kfd", "dxg", "nvidia0"])
    def test_undescribed(self, tmp_path: Path, name: str) -> None:
        """A device that nobody describes: nothing is known, but of the CPU."""
        self.facts(tmp_path)
        (tmp_path / "dev" / name).touch()
        assert self.facts(tmp_path) is None
        assert self.facts(tmp_path, "cpu") is not None

    def test_described(self, tmp_path: Path) -> None:
        """By the driver: its version and the model have a part."""
        self.facts(tmp_path)
        (tmp_path / "dev/nvidia0").touch()
        (tmp_path / "driver/version").write_text("NVRM 1")
        (tmp_path / "driver/gpus/0/information").write_text("Model: H100")
        facts = self.facts(tmp_path)
        assert facts is not None
        assert facts["accelerators"] == ["NVRM 1", "Model: H100"]


class TestDigests:
    """How often the weights are read for their digest."""

    @pytest.fixture
    def reads(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The weight files read for a digest, in a process that knows of none."""
        names: list[str] = []
        digest = digests.file_digest

        def noted(file: Any, name: str) -> Any:
            names.extend([file.name] if str(file.name).endswith(".safetensors") else [])
            return digest(file, name)

        monkeypatch.setattr(digests, "file_digest", noted)
        monkeypatch.setattr(digests, "_known", {})
        return names

    def test_are_kept_for_a_later_run(
        self, copy_of: Callable[..., Path], store: Store, reads: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By path, size, times and inode: a large checkpoint is read once in its life."""
        monkeypatch.setattr(digests, "_TICK_NS", -(10**12))
        path = copy_of()
        first = _ask(path, store)
        assert len(reads) == 1
        monkeypatch.setattr(digests, "_known", {})

        assert _ask(path, store) == first
        assert _ask(path, store, seed=2)
        assert len(reads) == 1

        _flip(path / "model.safetensors")
        assert _ask(path, store)[1].weights != first[1].weights
        assert len(reads) == 2

    def test_of_a_file_that_was_just_written_are_not_kept(
        self,
        copy_of: Callable[..., Path],
        store: Store,
        reads: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It may be written again within a tick of the clock."""
        # A busy machine may take longer to the first read.
        monkeypatch.setattr(digests, "_TICK_NS", 10**15)
        path = copy_of()
        _ask(path, store)
        before = len(reads)

        _ask(path, store)

        assert digests._known == {}
        assert len(reads) > before

    def test_are_computed_while_large_weights_are_loaded(
        self, copy_of: Callable[..., Path], store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a thread, so that files are read once for both."""
        monkeypatch.setattr(respondent, "_LARGE", 0)
        order: list[str] = []
        load, digest = loading.load_checkpoint, respondent.content_digest
        monkeypatch.setattr(loading, "load_checkpoint", lambda *given: order.append("load") or load(*given))
        monkeypatch.setattr(
            respondent, "content_digest", lambda *given: order.append("digest") or digest(*given)
        )

        assert _ask(copy_of(), store)
        assert sorted(order) == ["digest", "load"]
