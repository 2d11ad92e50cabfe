"""What a run needs to be repeated."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lengthprobe.checkpoints.digests import config_digest, weights_digest
from lengthprobe.checkpoints.files import locate
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.runs.identity import Identity, identify
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")


def _identity(directory: Path, settings: Settings = CPU) -> Identity:
    return identify(load_checkpoint(str(directory), settings), settings, batch_size=7)


def _sha256(content: bytes) -> str:
    return sha256(content).hexdigest()


def test_identity(checkpoints: Callable[..., Path]) -> None:
    """An identity says who was asked, on what, and how."""
    directory = checkpoints("llama")
    settings = Settings(
        device_map="cpu", system_prompt="Be brief.", seed=3, cap=20, budget=50, lengths=(3, 5)
    )
    found = _identity(directory, settings)
    assert (found.name, found.kind, found.repo_id, found.commit) == (str(directory), "directory", None, None)
    assert (found.architecture, found.adapter, found.attention) == ("LlamaForCausalLM", False, "sdpa")
    assert (found.dtype, found.device.split()[0], found.batch_size) == ("float32", "cpu", 7)
    assert (found.prompt_form, found.system_prompt) == ("chat", "Be brief.")
    assert (found.seed, found.cap, found.budget, found.lengths) == (3, 20, 50, (3, 5))
    assert (found.counter, found.overridden, found.split_batches) == ("uax29", (), 0)
    off = dict.fromkeys(("enable_thinking", "thinking", "reasoning"), False)
    assert found.template_arguments == {"date_string": "26 Jul 2024", **off}
    assert found.versions["torch"] == torch.__version__
    assert found.versions["transformers"] == transformers.__version__
    assert {"python", "tokenizers", "lengthprobe"} <= set(found.versions)


def test_identity_as_json(checkpoints: Callable[..., Path]) -> None:
    """As a dictionary it survives JSON, and has no path but the name that was typed."""
    found = _identity(checkpoints("llama")).as_dict()
    assert json.loads(json.dumps(found)) == found
    assert [key for key, value in found.items() if "/" in str(value)] == ["name"]


def test_plain_form_tells_no_template_arguments(checkpoints: Callable[..., Path]) -> None:
    """In plain form no template is told anything."""
    found = _identity(checkpoints("llama"), Settings(device_map="cpu", prompt_form="plain"))
    assert (found.prompt_form, found.template_arguments) == ("plain", {})


def test_weights_digest(copy_of: Callable[..., Path]) -> None:
    """The digest of the weights is that of their files' digests in name order, wherever they lie."""
    directory = copy_of()
    moved = shutil.copytree(directory, directory.parent / "moved")
    expected = _sha256(_sha256((directory / "model.safetensors").read_bytes()).encode())
    assert weights_digest(locate(str(directory), CPU)) == expected
    assert weights_digest(locate(str(moved), CPU)) == expected


def test_sharded_weights_digest(copy_of: Callable[..., Path]) -> None:
    """Every shard counts."""
    directory = copy_of()
    model = transformers.AutoModelForCausalLM.from_pretrained(directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, max_shard_size="40KB")
    shards = sorted(directory.glob("model-*.safetensors"))
    assert len(shards) > 1
    expected = _sha256("".join(_sha256(shard.read_bytes()) for shard in shards).encode())
    assert weights_digest(locate(str(directory), CPU)) == expected


def test_adapter_digest(copy_of: Callable[..., Path]) -> None:
    """The digest of an adapter's weights is of its base's and its own."""
    base = copy_of("llama", "base")
    adapter = base.parent / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "../base"}')
    shutil.copy(base / "model.safetensors", adapter / "adapter_model.safetensors")
    one = _sha256((base / "model.safetensors").read_bytes())
    assert weights_digest(locate(str(adapter), CPU)) == _sha256((one + one).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [("rope_parameters", {"rope_theta": 5.0, "rope_type": "default"}), ("rms_norm_eps", 0.5)],
)
def test_config_digest(copy_of: Callable[..., Path], field: str, value: object) -> None:
    """What the config says of the computation, and the weights do not, changes the config's digest alone."""
    directory = copy_of()
    before = _identity(directory).as_dict()
    stated = json.loads((directory / "config.json").read_text())
    assert stated[field] != value
    (directory / "config.json").write_text(json.dumps(stated | {field: value}))
    after = _identity(directory).as_dict()
    assert {key for key in before if before[key] != after[key]} == {"config"}


def test_config_digest_of_a_copy(copy_of: Callable[..., Path]) -> None:
    """Neither where a checkpoint was saved nor the layout of its config counts."""
    directory = copy_of()
    before = config_digest(locate(str(directory), CPU))
    stated = json.loads((directory / "config.json").read_text())
    moved = dict(reversed(stated.items())) | {"_name_or_path": "/somewhere/else"}
    (directory / "config.json").write_text(json.dumps(moved))
    assert config_digest(locate(str(directory), CPU)) == before
    expected = _sha256(json.dumps(stated, sort_keys=True).encode())
    assert before == _sha256(expected.encode())


def test_config_digest_of_an_adapter(copy_of: Callable[..., Path]) -> None:
    """The configs of an adapter and of its base both count, and the path of the base does not."""
    base = copy_of("llama", "base")
    adapter = base.parent / "adapter"
    adapter.mkdir()
    shutil.copy(base / "model.safetensors", adapter / "adapter_model.safetensors")

    def digest(path: str, alpha: int) -> str:
        config = {"base_model_name_or_path": path, "lora_alpha": alpha}
        (adapter / "adapter_config.json").write_text(json.dumps(config))
        return config_digest(locate(str(adapter), CPU))

    first = digest("../base", 8)
    assert digest(str(base), 8) == first
    assert digest("../base", 16) != first
    stated = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(stated | {"rms_norm_eps": 0.5}))
    assert digest("../base", 8) != first


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("model.safetensors", "weights"),
        ("tokenizer.json", "tokenizer"),
        ("tokenizer_config.json", "tokenizer"),
        ("chat_template.jinja", "chat_template"),
    ],
)
def test_each_file_has_its_digest(copy_of: Callable[..., Path], name: str, field: str) -> None:
    """A change in a file changes the digest that is its own, and no other."""
    directory = copy_of()
    before = _identity(directory).as_dict()
    path = directory / name
    if name == "model.safetensors":
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    else:
        path.write_text(path.read_text() + " ")
    after = _identity(directory).as_dict()
    assert {key for key in before if before[key] != after[key]} == {field}


def test_no_identity_of_files_that_were_written_anew(copy_of: Callable[..., Path]) -> None:
    """A checkpoint that was overwritten after it was loaded has no digest to report."""
    directory = copy_of()
    checkpoint = load_checkpoint(str(directory), CPU)
    path = directory / "model.safetensors"
    weights = load_file(path)
    save_file({name: tensor + 1 for name, tensor in weights.items()}, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="were written anew while it was judged"):
        identify(checkpoint, CPU, batch_size=7)
    assert _identity(directory).weights
