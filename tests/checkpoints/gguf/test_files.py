"""Which GGUF file a name means, and which files are no checkpoint."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import HfApi, constants

from lengthprobe.checkpoints.catalog import FIXTURE_FOLDERS, base_of, lineage_of, resolve
from lengthprobe.checkpoints.files import locate
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def twins(gguf_of: Callable[..., Path]) -> Path:
    """A folder with whole safetensors and a GGUF file beside them."""
    folder = gguf_of("Q8_0").parent
    shutil.copytree(FIXTURE_FOLDERS[-1] / "tiny-it", folder, dirs_exist_ok=True)
    return folder


def test_named_by_its_path(gguf_of: Callable[..., Path]) -> None:
    """A GGUF file is a checkpoint by itself."""
    path = gguf_of()
    found = locate(str(path), Settings())

    assert (found.weights, found.gguf.path, found.source.kind) == ((path,), path, "directory")


def test_only_one_in_a_folder(gguf_of: Callable[..., Path]) -> None:
    """A folder with one GGUF file is a name for it; the eyes of the model beside it count for nothing."""
    path = gguf_of()
    (path.parent / "mmproj-model-f16.gguf").write_bytes(b"GGUF")

    assert locate(str(path.parent), Settings()).weights == (path,)


def test_several_in_a_folder(gguf_of: Callable[..., Path]) -> None:
    """Several are listed as lines to type, and each line means its file."""
    paths = [gguf_of("Q8_0", "a-q8.gguf"), gguf_of("Q4_0", "b-q4.gguf")]

    with pytest.raises(ModelError, match="holds 2 GGUF files") as raised:
        locate(str(paths[0].parent), Settings())
    typed = [each.removeprefix("--lengthprobe-model=") for each in raised.value.fix.split(", or ")]
    assert [locate(name, Settings()).weights[0] for name in typed] == paths
    assert locate(f"{paths[0].parent}:b-q4.gguf", Settings()).weights == (paths[1],)


def test_beside_other_weights(twins: Path) -> None:
    """A GGUF beside safetensors is a second reading, and each has a line to type."""
    with pytest.raises(ModelError, match=r"two ways: model\.gguf, and model\.safetensors") as raised:
        locate(str(twins), Settings())
    gguf, other = (each.rpartition("--lengthprobe-model=")[2] for each in raised.value.fix.split("; "))
    assert locate(gguf, Settings()).weights == (twins / "model.gguf",)
    assert locate(other, Settings()).weights == (twins / "model.safetensors",)


def test_missing_file(gguf_of: Callable[..., Path]) -> None:
    """A file that is not there is answered with those that are."""
    path = gguf_of()

    with pytest.raises(ModelError, match=r"holds no other\.gguf; there is model\.gguf") as raised:
        locate(f"{path.parent}:other.gguf", Settings())
    assert raised.value.fix == f"--lengthprobe-model={path}"
    with pytest.raises(ModelError, match="does not exist"):
        locate("nowhere/model.gguf", Settings())


def test_missing_file_among_several(gguf_of: Callable[..., Path]) -> None:
    """The nearest name comes first, whether the file is named by its path or after a colon."""
    near, far = gguf_of(name="model-q5_k_m.gguf"), gguf_of(name="embed.gguf")

    for name in (near.parent / "model-q5.gguf", f"{near.parent}:model-q5.gguf"):
        with pytest.raises(ModelError) as raised:
            locate(str(name), Settings())
        assert "model-q5_k_m.gguf, embed.gguf" in raised.value.problem
        assert raised.value.fix == f"--lengthprobe-model={near}, or --lengthprobe-model={far}"
        for line in raised.value.fix.split(", or "):
            assert locate(line.removeprefix("--lengthprobe-model="), Settings()).weights


def test_file_of_no_weights(twins: Path) -> None:
    """After a colon stands a file of the weights that are loaded, and no other."""
    with pytest.raises(
        ModelError, match=r"names other\.safetensors, and the weights of .* model\.safetensors"
    ) as raised:
        locate(f"{twins}:other.safetensors", Settings())
    assert raised.value.fix == f"--lengthprobe-model={twins}:model.safetensors"


@pytest.mark.parametrize(
    ("said", "name", "what", "fix"),
    [
        ({"split.count": 3}, "m-00001-of-00003.gguf", "one part of 3", "llama-gguf-split --merge"),
        ({}, "m-00002-of-00003.gguf", "one part of 3", "m-00001-of-00003.gguf"),
        ({"split.count": 2}, "m.gguf", "one part of 2", "llama-gguf-split --merge"),
        ({"general.type": "adapter"}, "m.gguf", "but an adapter", "holds the language model"),
        ({"general.type": "mmproj"}, "m.gguf", "mmproj", "holds the language model"),
        ({"general.architecture": "clip"}, "m.gguf", "mmproj", "holds the language model"),
        ({"general.architecture": "bert"}, "m.gguf", "cannot read from a GGUF file", "converted from"),
        ({"general.architecture": "mamba9"}, "m.gguf", "'mamba9'", "pip install --upgrade transformers"),
    ],
)
def test_no_whole_language_model(
    gguf_of: Callable[..., Path], said: dict[str, Any], name: str, what: str, fix: str
) -> None:
    """A part of a model, or a model of another kind, is refused by what its header says."""
    path = gguf_of(name=name, said=said)

    with pytest.raises(ModelError, match=what) as raised:
        locate(str(path), Settings())
    assert str(path) in raised.value.problem
    assert fix in raised.value.fix


def test_only_a_split_in_a_folder(gguf_of: Callable[..., Path]) -> None:
    """The parts of one model are no choice between models."""
    for part in (1, 2):
        path = gguf_of(name=f"m-0000{part}-of-00002.gguf", said={"split.count": 2})

    with pytest.raises(ModelError, match="one part of 2"):
        locate(str(path.parent), Settings())


def test_base_of_an_adapter(gguf_of: Callable[..., Path], tmp_path: Path) -> None:
    """An adapter was trained on other weights than those of a GGUF file."""
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    path = gguf_of()
    (adapter / "adapter_config.json").write_text(f'{{"base_model_name_or_path": "{path}"}}')

    with pytest.raises(ModelError, match="it is a GGUF file"):
        locate(str(adapter), Settings())


def test_card_beside_the_file(gguf_of: Callable[..., Path]) -> None:
    """The card in the folder says what a quantized model comes from."""
    path = gguf_of()
    (path.parent / "README.md").write_text("---\nbase_model: meta-llama/Llama-3.1-8B-Instruct\n---\n")

    assert base_of(resolve(str(path))) == "llama-3.1-8b"
    assert lineage_of(resolve(str(path))) == "llama-3.1"


@pytest.fixture
def cached(
    tmp_path: Path, gguf_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Return a function that puts a repository with GGUF files into a hub cache; there is no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def put(*names: str) -> Path:
        folder = tmp_path / "hub" / "models--org--model"
        snapshot = folder / "snapshots" / COMMIT
        for part in (folder / "blobs", folder / "refs", snapshot):
            part.mkdir(parents=True)
        (folder / "refs" / "main").write_text(COMMIT)
        for name in names:
            shutil.copy(gguf_of(), folder / "blobs" / name)
            os.symlink(f"../../blobs/{name}", snapshot / name)
        return snapshot

    return put


@pytest.mark.parametrize("name", ["org/model", "org/model:a-q8.gguf", "org/model@main:a-q8.gguf"])
def test_from_the_hub(cached: Callable[..., Path], name: str) -> None:
    """A repository with one GGUF file is a name for it; a file after a colon is one too."""
    snapshot = cached("a-q8.gguf")
    found = locate(name, Settings())

    assert (found.weights, found.commit) == ((snapshot / "a-q8.gguf",), COMMIT)


def test_several_on_the_hub(cached: Callable[..., Path]) -> None:
    """Several in a repository are listed as lines to type."""
    cached("a-q8.gguf", "b-q4.gguf")

    with pytest.raises(ModelError, match="org/model holds 2 GGUF files") as raised:
        locate("org/model", Settings())
    assert (
        raised.value.fix
        == "--lengthprobe-model=org/model:a-q8.gguf, or --lengthprobe-model=org/model:b-q4.gguf"
    )


@pytest.mark.parametrize(
    "other", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "adapter_model.bin"]
)
def test_beside_pickled_weights_on_the_hub(
    cached: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """Pickled weights, which were not fetched, are a second reading too, and each has a line to type."""
    snapshot = cached("a-q8.gguf")
    monkeypatch.setattr(HfApi, "list_repo_files", lambda *_, **__: ["a-q8.gguf", other, "README.md"])

    with pytest.raises(ModelError, match=rf"two ways: a-q8\.gguf, and {other}, which is pickled") as raised:
        locate("org/model", Settings())
    assert "--lengthprobe-model=org/model:a-q8.gguf" in raised.value.fix
    assert "--lengthprobe-allow-pickle" in raised.value.fix
    assert locate("org/model:a-q8.gguf", Settings()).weights == (snapshot / "a-q8.gguf",)


@pytest.mark.parametrize("other", ["original/pytorch_model.bin", "training_args.bin", "model.onnx"])
def test_beside_no_other_weights_on_the_hub(
    cached: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """What transformers would not load is no second reading."""
    snapshot = cached("a-q8.gguf")
    monkeypatch.setattr(HfApi, "list_repo_files", lambda *_, **__: ["a-q8.gguf", other])

    assert locate("org/model", Settings()).weights == (snapshot / "a-q8.gguf",)


def test_what_lies_beside_is_not_watched(gguf_of: Callable[..., Path]) -> None:
    """Other files of the folder may change; the file may not."""
    path = gguf_of()
    found = locate(str(path), Settings())
    (path.parent / "config.json").write_text("{}")
    assert not found.is_changed

    path.touch()
    os.utime(path, (1, 1))
    assert found.is_changed
