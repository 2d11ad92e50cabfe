"""A checkpoint on disk, checked before anything is loaded."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from lengthprobe.checkpoints.files import locate
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _adapter(directory: Path, base: str) -> Path:
    directory.mkdir()
    (directory / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    return directory


def test_files_of_a_checkpoint(checkpoints: Callable[..., Path]) -> None:
    """A directory gives its config, weights and tokenizer, and no commit of the hub."""
    directory = checkpoints("llama")
    files = locate(str(directory), Settings())
    assert (files.directory, files.tokenizer, files.adapter, files.commit) == (
        directory,
        directory,
        None,
        None,
    )
    assert files.weights == (directory / "model.safetensors",)
    assert files.weight_bytes == (directory / "model.safetensors").stat().st_size
    assert files.config.model_type == "llama"


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("config.json", "holds no config.json"),
        ("model.safetensors", "holds no weights"),
        ("tokenizer.json", "holds no tokenizer"),
    ],
)
def test_incomplete_directory(copy_of: Callable[..., Path], lost: str, message: str) -> None:
    """A directory that lacks config, weights or tokenizer is answered with what it lacks."""
    directory = copy_of()
    (directory / lost).unlink()
    with pytest.raises(ModelError, match=message) as raised:
        locate(str(directory), Settings())
    assert str(directory) in raised.value.problem
    assert raised.value.fix


def test_adapter_on_its_base(copy_of: Callable[..., Path], tmp_path: Path) -> None:
    """An adapter has the config, weights and tokenizer of its base, found from where the adapter is."""
    base = copy_of("llama", "base")
    adapter = _adapter(tmp_path / "adapter", "../base")
    (adapter / "adapter_model.safetensors").write_bytes((base / "model.safetensors").read_bytes())
    files = locate(str(adapter), Settings())
    assert [path.resolve() for path in (files.directory, files.tokenizer)] == [base, base]
    assert files.adapter == adapter
    assert files.adapter_weights == (adapter / "adapter_model.safetensors",)


def test_adapter_with_a_tokenizer(copy_of: Callable[..., Path], tmp_path: Path) -> None:
    """An adapter that brings a tokenizer keeps it."""
    base = copy_of("llama", "base")
    adapter = _adapter(tmp_path / "adapter", str(base))
    (adapter / "adapter_model.safetensors").write_bytes((base / "model.safetensors").read_bytes())
    (adapter / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    assert locate(str(adapter), Settings()).tokenizer == adapter


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("../nowhere", "does not exist"),
        ("lama-3.1-8b", "no model is known"),
        ("org/gone", "not in the hub cache"),
    ],
)
def test_adapter_without_its_base(tmp_path: Path, base: str, message: str) -> None:
    """An adapter whose base cannot be found is named together with the base."""
    adapter = _adapter(tmp_path / "adapter", base)
    with pytest.raises(ModelError, match=rf"the base of the adapter in .*adapter: .*{message}"):
        locate(str(adapter), Settings())


@pytest.mark.parametrize("base", ["good", "runs/good", "../elsewhere/good"])
def test_adapter_whose_base_lies_beside_it(copy_of: Callable[..., Path], tmp_path: Path, base: str) -> None:
    """The message names the config, its field, and the line to write there, which mends it."""
    good = copy_of("llama", "good")
    adapter = _adapter(tmp_path / "adapter", base)
    assert good.parent == tmp_path
    with pytest.raises(ModelError, match=r"adapter_config\.json says so: base_model_name_or_path ") as raised:
        locate(str(adapter), Settings())
    line = '"base_model_name_or_path": "../good" (the folder beside the adapter)'
    assert raised.value.fix == f"write into {adapter / 'adapter_config.json'}: {line}"


def test_adapter_whose_base_is_nowhere(tmp_path: Path) -> None:
    """The message has the line to write, with room for the folder."""
    adapter = _adapter(tmp_path / "adapter", "../nowhere")
    with pytest.raises(ModelError) as raised:
        locate(str(adapter), Settings())
    line = '"base_model_name_or_path": "<the folder of the base>"; or '
    assert f"{adapter / 'adapter_config.json'}: {line}" in raised.value.fix


def test_adapter_on_an_adapter(tmp_path: Path) -> None:
    """An adapter whose base is an adapter (it may be itself) is refused."""
    adapter = _adapter(tmp_path / "adapter", ".")
    with pytest.raises(ModelError, match="names another adapter as its base"):
        locate(str(adapter), Settings())


def test_adapter_that_names_no_base(tmp_path: Path) -> None:
    """An adapter's config that names no base is named."""
    adapter = _adapter(tmp_path / "adapter", "")
    with pytest.raises(ModelError, match="does not say which model"):
        locate(str(adapter), Settings())


def test_adapter_without_weights(checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """An adapter's directory without weights says which file it looked for."""
    adapter = _adapter(tmp_path / "adapter", str(checkpoints("llama")))
    with pytest.raises(ModelError, match=r"no adapter_model.safetensors"):
        locate(str(adapter), Settings())


def test_pickled_adapter(checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """A pickled adapter is refused as pickled weights are."""
    adapter = _adapter(tmp_path / "adapter", str(checkpoints("llama")))
    (adapter / "adapter_model.bin").touch()
    with pytest.raises(ModelError, match=r"adapter_model.bin") as raised:
        locate(str(adapter), Settings())
    assert "--lengthprobe-allow-pickle" in raised.value.fix


@pytest.mark.parametrize(
    "name",
    ["config.json", "generation_config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"],
)
def test_files_that_were_written_anew(copy_of: Callable[..., Path], name: str) -> None:
    """A file that was written since the checkpoint was located is seen, whatever its size."""
    directory = copy_of()
    files = locate(str(directory), Settings())
    assert not files.is_changed
    os.utime(directory / name, ns=(1, 1))
    assert files.is_changed
    assert locate(str(directory), Settings()).stamp != files.stamp


def test_other_files_of_a_trainer(copy_of: Callable[..., Path]) -> None:
    """What a trainer writes beside a checkpoint changes nothing of it."""
    directory = copy_of()
    files = locate(str(directory), Settings())
    (directory / "trainer_state.json").write_text("{}")
    assert not files.is_changed


def _sharded(directory: Path) -> None:
    """Give the single weight file of a checkpoint an index, as if there could be more."""
    index = {"metadata": {}, "weight_map": {"model.norm.weight": "model.safetensors"}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("file", "indexed"),
    [("model.safetensors", False), ("model.safetensors", True), ("model.safetensors.index.json", True)],
)
def test_file_of_the_weights(copy_of: Callable[..., Path], file: str, indexed: bool) -> None:
    """After a colon stands a file of the weights, or the index that names them."""
    directory = copy_of()
    if indexed:
        _sharded(directory)

    assert locate(f"{directory}:{file}", Settings()).weights == (directory / "model.safetensors",)


@pytest.mark.parametrize(
    "file", ["nope.safetensors", "model.safetensors.index.json", "nope.safetensors.index.json", "nope.bin"]
)
def test_file_that_is_not_there(copy_of: Callable[..., Path], file: str) -> None:
    """Any other file, and an index that is not there, is answered with the line to type."""
    directory = copy_of()

    with pytest.raises(
        ModelError, match=rf"names {file}, and the weights of .* are model\.safetensors"
    ) as raised:
        locate(f"{directory}:{file}", Settings())
    assert raised.value.fix == f"--lengthprobe-model={directory}:model.safetensors"
    locate(raised.value.fix.removeprefix("--lengthprobe-model="), Settings())


def test_index_of_other_weights(copy_of: Callable[..., Path]) -> None:
    """An index that is there, and names other files than those that are loaded, is none of theirs."""
    directory = copy_of()
    index = {"metadata": {}, "weight_map": {"model.norm.weight": "other.safetensors"}}
    (directory / "other.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelError, match=r"names other\.safetensors\.index\.json, and the weights"):
        locate(f"{directory}:other.safetensors.index.json", Settings())


def test_file_of_an_adapter(copy_of: Callable[..., Path], tmp_path: Path) -> None:
    """So it is with the weights of an adapter; those of its base are not meant."""
    base = copy_of("llama", "base")
    adapter = _adapter(tmp_path / "adapter", str(base))
    (adapter / "adapter_model.safetensors").write_bytes((base / "model.safetensors").read_bytes())

    assert locate(f"{adapter}:adapter_model.safetensors", Settings()).adapter == adapter
    for other in ("nope.safetensors", "model.safetensors", "model.safetensors.index.json"):
        with pytest.raises(ModelError, match=rf"names {other}, and the weights of .*adapter_model") as raised:
            locate(f"{adapter}:{other}", Settings())
        assert raised.value.fix == f"--lengthprobe-model={adapter}:adapter_model.safetensors"
