"""Weight files, checked before anything is loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from lengthprobe.errors import ModelError
from lengthprobe.models.weights import read_json, weight_files

if TYPE_CHECKING:
    from pathlib import Path


def _tensors(path: Path, *names: str) -> Path:
    save_file({name: np.zeros((4, 4), np.float32) for name in names}, path)
    return path


def _sharded(directory: Path) -> tuple[Path, ...]:
    shards = tuple(directory / f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
    for shard in shards:
        _tensors(shard, shard.stem)
    index = {"weight_map": {shard.stem: shard.name for shard in reversed(shards)}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    return shards


def test_one_file(tmp_path: Path) -> None:
    """One safetensors file is the weights, whatever lies beside it."""
    file = _tensors(tmp_path / "model.safetensors", "a")
    (tmp_path / "pytorch_model.bin").touch()
    assert weight_files(tmp_path) == (file,)


def test_shards(tmp_path: Path) -> None:
    """Shards come in name order, as the index names them."""
    shards = _sharded(tmp_path)
    assert weight_files(tmp_path) == shards


def test_missing_shard(tmp_path: Path) -> None:
    """A shard that the index names and that is not there is named."""
    _, second = _sharded(tmp_path)
    second.unlink()
    with pytest.raises(ModelError, match=r"model-00002-of-00002.safetensors, which .* is missing"):
        weight_files(tmp_path)


@pytest.mark.parametrize("index", ["{", "[]", "{}", '{"weight_map": {}}'])
def test_unusable_index(tmp_path: Path, index: str) -> None:
    """An index that names no weights is named itself."""
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelError, match=r"model.safetensors.index.json"):
        weight_files(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 20, 100, -1])
def test_cut_short(tmp_path: Path, kept: int) -> None:
    """A file that lost its end is named, with its size."""
    file = _tensors(tmp_path / "model.safetensors", "a", "b")
    content = file.read_bytes()[:kept]
    file.write_bytes(content)
    with pytest.raises(
        ModelError, match=rf"model.safetensors \({len(content)} bytes\) is cut short or corrupt"
    ):
        weight_files(tmp_path)


def test_corrupt_header(tmp_path: Path) -> None:
    """A file whose header is no JSON is named."""
    file = _tensors(tmp_path / "model.safetensors", "a")
    content = bytearray(file.read_bytes())
    content[8:12] = b"\xff\xff\xff\xff"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="cut short or corrupt"):
        weight_files(tmp_path)


def test_corrupt_shard(tmp_path: Path) -> None:
    """Every shard is looked at, not the first alone."""
    _, second = _sharded(tmp_path)
    second.write_bytes(second.read_bytes()[:-8])
    with pytest.raises(ModelError, match=r"model-00002-of-00002.safetensors .* is cut short"):
        weight_files(tmp_path)


def test_git_lfs_pointer(tmp_path: Path) -> None:
    """A pointer in place of the weights is answered with the command that fetches them."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (tmp_path / "model.safetensors").write_text(pointer)
    with pytest.raises(ModelError, match="git-lfs pointer") as raised:
        weight_files(tmp_path)
    assert raised.value.fix == "git lfs pull"


def test_no_tensor(tmp_path: Path) -> None:
    """A file without a tensor is no weights."""
    _tensors(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="holds no tensor"):
        weight_files(tmp_path)


def test_no_weights(tmp_path: Path) -> None:
    """A directory without weights says which file it looked for, and what a trainer leaves is none."""
    for name in ("training_args.bin", "optimizer.pt", "rng_state_0.pth"):
        (tmp_path / name).touch()
    with pytest.raises(ModelError, match=r"holds no weights: no model.safetensors"):
        weight_files(tmp_path)


def test_weights_without_an_index(tmp_path: Path) -> None:
    """Shards without their index are mentioned."""
    _tensors(tmp_path / "model-00001-of-00002.safetensors", "a")
    with pytest.raises(ModelError, match=r"model-00001-of-00002.safetensors is not named by an index"):
        weight_files(tmp_path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "model.ckpt"])
def test_pickle_is_refused(tmp_path: Path, name: str) -> None:
    """Pickled weights are refused, and the option that allows them is named."""
    (tmp_path / name).touch()
    with pytest.raises(ModelError, match=name) as raised:
        weight_files(tmp_path)
    assert "--lengthprobe-allow-pickle" in raised.value.fix


def test_pickle_when_allowed(tmp_path: Path) -> None:
    """Pickled weights are taken where they were allowed."""
    (tmp_path / "pytorch_model.bin").touch()
    assert weight_files(tmp_path, allow_pickle=True) == (tmp_path / "pytorch_model.bin",)


def test_safetensors_go_before_pickle(tmp_path: Path) -> None:
    """Even where pickles are allowed, safetensors are taken if there are any."""
    file = _tensors(tmp_path / "model.safetensors", "a")
    (tmp_path / "pytorch_model.bin").touch()
    assert weight_files(tmp_path, allow_pickle=True) == (file,)


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe"])
def test_unreadable_json(tmp_path: Path, content: bytes) -> None:
    """A JSON file that holds no object is named."""
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"config.json"):
        read_json(tmp_path / "config.json")
