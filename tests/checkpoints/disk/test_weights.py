"""Weight files, checked before anything is loaded."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from lengthprobe.checkpoints.disk.weights import read_json, weight_files, weights_name
from lengthprobe.errors import ModelError

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


def test_single_file_beside_shards(tmp_path: Path) -> None:
    """A single file beside an index of other files: both are named, and what to remove in which case."""
    shards = _sharded(tmp_path)
    single = _tensors(tmp_path / "model.safetensors", "a")
    with pytest.raises(ModelError, match=r"two sets of weights: model.safetensors, .*index.json") as raised:
        weight_files(tmp_path)
    assert shards[0].name in raised.value.problem
    assert "if those are the model, remove model.safetensors" in raised.value.fix
    single.unlink()
    assert weight_files(tmp_path) == shards


def test_single_file_beside_an_index_of_lost_shards(tmp_path: Path) -> None:
    """An index whose files are gone is a second reading too: removed, the single file is left."""
    for shard in _sharded(tmp_path):
        shard.unlink()
    single = _tensors(tmp_path / "model.safetensors", "a")
    with pytest.raises(ModelError, match="two sets of weights") as raised:
        weight_files(tmp_path)
    assert "if model.safetensors is the model, remove model.safetensors.index.json" in raised.value.fix
    (tmp_path / "model.safetensors.index.json").unlink()
    assert weight_files(tmp_path) == (single,)


@pytest.mark.parametrize("name", ["model.safetensors", "./model.safetensors"])
def test_index_of_the_single_file(tmp_path: Path, name: str) -> None:
    """An index that names the single file alone says the same thing."""
    single = _tensors(tmp_path / "model.safetensors", "a")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    assert weight_files(tmp_path) == (single,)
    assert weights_name(tmp_path, (single,)) == "model.safetensors"


@pytest.mark.parametrize(
    "other",
    [
        "model.fp16.safetensors",
        "consolidated.safetensors",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
    ],
)
def test_other_formats_beside(tmp_path: Path, other: str) -> None:
    """Variants, and the formats of other programs, are no second reading."""
    single = _tensors(tmp_path / "model.safetensors", "a")
    (tmp_path / other).write_bytes(single.read_bytes())
    assert weight_files(tmp_path, allow_pickle=True) == (single,)


def test_pickle_beside_pickled_shards(tmp_path: Path) -> None:
    """Pickles are held to the same, where they are allowed."""
    (tmp_path / "pytorch_model.bin").touch()
    index = {"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    shard = tmp_path / "pytorch_model-00001-of-00001.bin"
    shard.touch()
    with pytest.raises(ModelError, match=r"two sets of weights: pytorch_model.bin, .*bin.index.json"):
        weight_files(tmp_path, allow_pickle=True)
    (tmp_path / "pytorch_model.bin").unlink()
    assert weight_files(tmp_path, allow_pickle=True) == (shard,)


def test_pickle_of_another_name(tmp_path: Path) -> None:
    """A pickle that transformers does not look for is not digested in place of what it loads."""
    (tmp_path / "model.ckpt").touch()
    with pytest.raises(ModelError, match=r"model.ckpt is not loaded by its name") as raised:
        weight_files(tmp_path, allow_pickle=True)
    assert "rename it: pytorch_model.bin" in raised.value.fix
    (tmp_path / "model.ckpt").rename(tmp_path / "pytorch_model.bin")
    (tmp_path / "other.bin").touch()
    assert weight_files(tmp_path, allow_pickle=True) == (tmp_path / "pytorch_model.bin",)


@pytest.mark.parametrize("value", [3, None, [], {}, ""])
def test_index_that_names_no_file(tmp_path: Path, value: object) -> None:
    """A value that is no file name is answered with the index and the tensor."""
    index = {"weight_map": {"a": value, "b": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"model.safetensors.index.json names no file for 'a'"):
        weight_files(tmp_path)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b.safetensors", ".."])
def test_index_that_leaves_its_folder(tmp_path: Path, name: str) -> None:
    """A file outside of the folder is not looked at, and the index is named."""
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ModelError, match=r"model.safetensors.index.json names a file outside of its folder"):
        weight_files(tmp_path)


def test_file_that_the_config_names(tmp_path: Path) -> None:
    """What config.json names as transformers_weights counts, as it does for transformers."""
    _tensors(tmp_path / "model.safetensors", "a")
    other = _tensors(tmp_path / "other.safetensors", "a")
    assert weight_files(tmp_path, named="other.safetensors") == (other,)
    assert weights_name(tmp_path, (other,), "other.safetensors") == "other.safetensors"


@pytest.mark.parametrize("name", ["../other.safetensors", "gone.safetensors", "pytorch_model.bin", 7])
def test_file_that_the_config_cannot_name(tmp_path: Path, name: object) -> None:
    """A name that is no safetensors file of the folder is answered with the key of config.json."""
    _tensors(tmp_path / "model.safetensors", "a")
    with pytest.raises(ModelError, match=r"transformers_weights in .*config.json names"):
        weight_files(tmp_path, named=name)


def test_distributed_checkpoint_beside(tmp_path: Path) -> None:
    """The files of a distributed training are what transformers would load: they are named."""
    _tensors(tmp_path / "model.safetensors", "a")
    _tensors(tmp_path / "shard-00001-model-00001-of-00001.safetensors", "a")
    with pytest.raises(ModelError, match=r"shard-00001-model-00001-of-00001.safetensors.*in place of"):
        weight_files(tmp_path)


def test_index_without_metadata(tmp_path: Path) -> None:
    """Transformers reads the metadata of an index: without it, the index is named."""
    with pytest.raises(ModelError, match=r"index.json has no metadata") as raised:
        weights_name(tmp_path, _sharded(tmp_path))
    path = tmp_path / "model.safetensors.index.json"
    assert raised.value.fix.startswith('add "metadata": {}')
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metadata": {}}))
    assert weights_name(tmp_path, weight_files(tmp_path)) == path.name


def test_link_into_the_hub_cache_that_leads_nowhere(tmp_path: Path) -> None:
    """A file of the hub cache whose blob is gone is named as the link, with the command that fetches it."""
    snapshot = tmp_path / "hub" / "models--acme--lost" / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to("../../blobs/gone")
    with pytest.raises(
        ModelError, match=r"model.safetensors is a link to ../../blobs/gone, which is"
    ) as raised:
        weight_files(snapshot)
    assert raised.value.fix == "hf download acme/lost model.safetensors --revision 0123abc"


def test_shard_that_is_a_lost_link(tmp_path: Path) -> None:
    """A shard is looked at in the same way, and elsewhere there is no command."""
    _, second = _sharded(tmp_path)
    second.unlink()
    second.symlink_to("elsewhere.safetensors")
    with pytest.raises(ModelError, match=rf"{second.name} is a link to elsewhere.safetensors") as raised:
        weight_files(tmp_path)
    assert raised.value.fix == f"copy or download {second.name} again"


def test_links_in_a_circle(tmp_path: Path) -> None:
    """What the system says of a file is repeated."""
    (tmp_path / "model.safetensors").symlink_to("model.safetensors")
    with pytest.raises(ModelError, match=r"model.safetensors cannot be read: Too many levels"):
        weight_files(tmp_path)


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is not called corrupt."""
    file = _tensors(tmp_path / "model.safetensors", "a")

    # Whoever runs the tests may be allowed to read everything.
    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(type(file), "open", refuse)
    with pytest.raises(ModelError, match=r"model.safetensors cannot be read: Permission denied") as raised:
        weight_files(tmp_path)
    assert raised.value.fix == f"chmod u+r {file}"
