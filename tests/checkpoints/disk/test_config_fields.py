"""The fields of a config.json: a wrong value is named with its key, and no update is advised for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.checkpoints.disk.config_fields import config_error
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(languages=("en",), budget=10, device_map="cpu", cap=6)


def _refused(directory: Path, changes: dict[str, Any]) -> ModelError:
    """The error for a checkpoint whose config.json has some fields changed."""
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError) as raised:
        load_checkpoint(str(directory), CPU)
    assert str(path) in raised.value.problem
    return raised.value


@pytest.mark.parametrize("shape", ["llama", "gpt2"])
@pytest.mark.parametrize("value", [{"a": 1}, 7, "LlamaForCausalLM", [1], [None], [["x"]], True, ""])
def test_architectures_of_another_type(copy_of: Callable[..., Path], shape: str, value: object) -> None:
    """The names of the classes are a list of texts."""
    error = _refused(copy_of(shape), {"architectures": value})
    assert "architectures" in error.problem
    assert error.fix.startswith("correct architectures in config.json")


@pytest.mark.parametrize("value", [None, 7, ["llama"], {"a": 1}, "", True])
def test_model_type_of_another_type(copy_of: Callable[..., Path], value: object) -> None:
    """The name of the architecture is a text; to update transformers would not help."""
    error = _refused(copy_of(), {"model_type": value})
    assert error.fix.startswith("correct model_type in config.json")
    assert "upgrade" not in error.fix


def test_no_model_type(copy_of: Callable[..., Path]) -> None:
    """A config that names no architecture is answered with what it lacks."""
    directory = copy_of()
    path = directory / "config.json"
    stated = json.loads(path.read_text())
    del stated["model_type"]
    path.write_text(json.dumps(stated))
    assert "names no model_type" in _refused(directory, {}).problem


@pytest.mark.parametrize("key", ["vision_config", "audio_config", "text_config", "quantization_config"])
@pytest.mark.parametrize("value", [7, "x", [1], True])
def test_part_of_another_type(copy_of: Callable[..., Path], key: str, value: object) -> None:
    """A part of a config is an object."""
    assert f"{key} is {value!r}" in _refused(copy_of(), {key: value}).problem


@pytest.mark.parametrize(
    "key",
    [
        *("num_attention_heads", "num_key_value_heads", "head_dim", "hidden_size", "intermediate_size"),
        *("vocab_size", "num_hidden_layers"),
    ],
)
@pytest.mark.parametrize("value", [0, -1, 10**30, "x", [1], {"a": 1}, 2.5])
def test_count_that_no_model_has(copy_of: Callable[..., Path], key: str, value: object) -> None:
    """A number that nothing can be built with is named with its key."""
    error = _refused(copy_of(), {key: value})
    assert key in error.problem
    assert key in error.fix
    assert "upgrade" not in error.fix


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"eos_token_id": 2.0}, "eos_token_id"),
        ({"bos_token_id": "x"}, "bos_token_id"),
        ({"rms_norm_eps": None}, "rms_norm_eps"),
        ({"dtype": "float99"}, "dtype"),
        ({"hidden_act": "swoosh"}, "hidden_act"),
        ({"rope_parameters": {"rope_type": "spiral", "rope_theta": 1.0}}, "rope_parameters"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings"),
    ],
)
def test_field_at_fault(copy_of: Callable[..., Path], changes: dict[str, Any], key: str) -> None:
    """Whether reading or building fails, the field without which it does not is named, and the fix works."""
    directory = copy_of()
    whole = (directory / "config.json").read_text()
    error = _refused(directory, changes)
    assert f"{key}" in error.problem
    assert error.fix.startswith(f"correct {key}")
    assert "upgrade" not in error.fix
    (directory / "config.json").write_text(whole)
    assert load_checkpoint(str(directory), CPU).files.config.model_type == "llama"


def test_file_of_a_newer_release(copy_of: Callable[..., Path]) -> None:
    """Where a newer transformers wrote the file, the value may be one that only that knows."""
    error = _refused(copy_of(), {"hidden_act": "swoosh", "transformers_version": "99.0.0"})
    assert error.fix.startswith("correct hidden_act")
    assert "pip install --upgrade transformers" in error.fix


def test_kernel_of_the_hub_is_not_fetched(copy_of: Callable[..., Path]) -> None:
    """A checkpoint that names one is loaded as any other, and the attention that ran is what is told."""
    plain, named = copy_of(name="plain"), copy_of(name="named")
    path = named / "config.json"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"attn_implementation": "kernels-community/flash-attn2"})
    )
    attention = [load_checkpoint(str(directory), CPU).attention for directory in (plain, named)]
    assert attention == ["sdpa", "sdpa"]


def test_no_field_is_blamed_without_cause(copy_of: Callable[..., Path]) -> None:
    """Where the file can be read by itself, the error's own words stand, and no field is picked out."""
    path = copy_of() / "config.json"
    error = config_error(path, json.loads(path.read_text()), OSError("the disk is gone"))
    assert error.problem == f"{path} cannot be used: OSError: the disk is gone"
    assert error.fix == "restore the config.json of these weights"
