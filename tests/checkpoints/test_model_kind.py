"""What may be loaded: causal language models that transformers knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import transformers

from lengthprobe.checkpoints.model_kind import causal_config
from lengthprobe.checkpoints.text_alone import auto_class
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ANYTHING = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}

SMALL = ANYTHING | {"intermediate_size": 8, "vocab_size": 8}


def _config(directory: Path, name: str, architecture: str | None, **changes: Any) -> Path:
    config = getattr(transformers, name)(**changes)
    config.architectures = [architecture] if architecture else None
    config.save_pretrained(directory)
    return directory


def _edit(directory: Path, name: str = "config.json", **changes: Any) -> None:
    path = directory / name
    stated = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(stated | changes))


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("LlamaConfig", "LlamaForCausalLM"),
        ("LlamaConfig", None),
        ("Gemma3TextConfig", "Gemma3ForCausalLM"),
        ("GPT2Config", "GPT2LMHeadModel"),
    ],
)
def test_causal_language_models(tmp_path: Path, name: str, architecture: str | None) -> None:
    """A causal language model's config is given as transformers reads it."""
    config = causal_config(_config(tmp_path, name, architecture), Settings())
    assert type(config).__name__ == name


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("Gemma3Config", "Gemma3ForConditionalGeneration"),
        ("Mistral3Config", "Mistral3ForConditionalGeneration"),
        ("Qwen2VLConfig", "Qwen2VLForConditionalGeneration"),
        ("Qwen2_5_VLConfig", "Qwen2_5_VLForConditionalGeneration"),
        ("Qwen3VLConfig", "Qwen3VLForConditionalGeneration"),
        ("Qwen3VLMoeConfig", "Qwen3VLMoeForConditionalGeneration"),
        ("Qwen3_5Config", "Qwen3_5ForConditionalGeneration"),
        ("Qwen3_5MoeConfig", "Qwen3_5MoeForConditionalGeneration"),
    ],
)
def test_models_that_see_as_well(tmp_path: Path, name: str, architecture: str) -> None:
    """The config of a model that is judged with text alone is given as transformers reads it."""
    config = causal_config(_config(tmp_path, name, architecture), Settings())
    assert type(config).__name__ == name
    assert auto_class(config) is transformers.AutoModelForImageTextToText


def test_those_that_see_are_named(tmp_path: Path) -> None:
    """Where one that sees is refused, those that are not are named."""
    with pytest.raises(ModelError, match="vision-language") as raised:
        causal_config(_config(tmp_path, "LlavaConfig", "LlavaForConditionalGeneration"), Settings())
    assert "gemma3" in raised.value.fix


@pytest.mark.parametrize(
    ("name", "architecture", "what"),
    [
        ("BertConfig", "BertForMaskedLM", "encoder-only"),
        ("BertConfig", "BertModel", "encoder-only"),
        ("ModernBertConfig", "ModernBertForMaskedLM", "encoder-only"),
        ("T5Config", "T5ForConditionalGeneration", "encoder-decoder"),
        ("BartConfig", "BartForConditionalGeneration", "encoder-decoder"),
        ("LlavaConfig", "LlavaForConditionalGeneration", "vision-language"),
        ("Gemma3nConfig", "Gemma3nForConditionalGeneration", "vision-language"),
        ("Qwen2AudioConfig", "Qwen2AudioForConditionalGeneration", "vision-language or audio"),
        ("LlamaConfig", "LlamaForSequenceClassification", "no causal language model"),
        ("LlamaConfig", "LlamaModel", "no causal language model"),
        ("ViTConfig", "ViTForImageClassification", "no causal language model"),
    ],
)
def test_other_kinds(tmp_path: Path, name: str, architecture: str, what: str) -> None:
    """Another kind of model is refused by its kind and its class."""
    with pytest.raises(ModelError, match=rf"is (an? )?{what}") as raised:
        causal_config(_config(tmp_path, name, architecture), Settings())
    assert architecture in raised.value.problem
    assert "decoder-only" in raised.value.fix


def test_no_config(tmp_path: Path) -> None:
    """A directory without config.json is no checkpoint."""
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        causal_config(tmp_path, Settings())


def test_broken_config(tmp_path: Path) -> None:
    """A config.json that is no JSON is named."""
    (tmp_path / "config.json").write_text('{"model_type": "llama"')
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        causal_config(tmp_path, Settings())


def test_unknown_architecture(tmp_path: Path) -> None:
    """An architecture that transformers does not know is answered with the command that updates it."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama9"}))
    with pytest.raises(ModelError, match=r"config\.json cannot be used") as raised:
        causal_config(tmp_path, Settings())
    assert "pip install --upgrade transformers" in raised.value.fix


@pytest.mark.parametrize(
    ("name", "architecture", "changes", "part"),
    [
        ("LlamaConfig", "LlamaForCausalLM", {"vision_config": {}}, "vision_config"),
        ("LlamaConfig", "LlamaForCausalLM", {"audio_config": {}}, "audio_config"),
        ("Gemma3Config", "Gemma3ForConditionalGeneration", {"vision_config": {}}, "vision_config"),
        ("Gemma3Config", "Gemma3ForConditionalGeneration", {"vision_config": None}, "vision_config"),
    ],
)
def test_empty_part_that_sees(
    tmp_path: Path, name: str, architecture: str, changes: dict[str, Any], part: str
) -> None:
    """An empty part of a config stands for the default one: the kind of model is told at once."""
    _edit(_config(tmp_path, name, architecture), **changes)
    with pytest.raises(ModelError, match=f"vision-language or audio model .*{part}") as raised:
        causal_config(tmp_path, Settings())
    assert f"remove {part} from config.json" in raised.value.fix


def test_part_that_is_said_not_to_be_there(tmp_path: Path) -> None:
    """A language model may say that it has no part that sees."""
    _edit(_config(tmp_path, "LlamaConfig", "LlamaForCausalLM"), vision_config=None)
    assert causal_config(tmp_path, Settings()).model_type == "llama"


@pytest.mark.parametrize(
    "named",
    [
        {"attn_implementation": "kernels-community/flash-attn2"},
        {"_attn_implementation": "kernels-community/flash-attn2"},
        {"attn_implementation_internal": "kernels-community/flash-attn2"},
        {"_attn_implementation_internal": "kernels-community/flash-attn2"},
        {"attn_implementation": "flash_attention_2"},
        {"attn_implementation": {"": "nobody/kernel:attend"}},
        {"_attn_implementation": 7},
        {"experts_implementation": "sonicmoe"},
    ],
)
def test_kernels_that_a_config_names(tmp_path: Path, named: dict[str, Any]) -> None:
    """No library and no code of the hub is taken because a config names it: transformers chooses."""
    plain = causal_config(_config(tmp_path / "plain", "LlamaConfig", "LlamaForCausalLM", **SMALL), Settings())
    _edit(_config(tmp_path / "named", "LlamaConfig", "LlamaForCausalLM", **SMALL), **named)
    config = causal_config(tmp_path / "named", Settings())
    model, expected = (transformers.AutoModelForCausalLM.from_config(one) for one in (config, plain))
    chosen = [
        (one.config._attn_implementation, one.config._experts_implementation) for one in (model, expected)
    ]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
def test_kernels_that_a_part_of_a_config_names(tmp_path: Path, key: str) -> None:
    """The config of a text model within another is held to the same."""
    directory = _config(tmp_path, "Qwen3_5Config", "Qwen3_5ForCausalLM")
    stated = json.loads((directory / "config.json").read_text())
    del stated["vision_config"]
    stated["text_config"][key] = "kernels-community/flash-attn2"
    (directory / "config.json").write_text(json.dumps(stated))
    assert causal_config(directory, Settings()).get_text_config()._attn_implementation is None


def test_impossible_shape(tmp_path: Path) -> None:
    """A config that its own architecture refuses is answered with the architecture's words."""
    _edit(_config(tmp_path, "LlamaConfig", "LlamaForCausalLM"), hidden_size="wide")
    with pytest.raises(ModelError, match=r"config\.json cannot be used.*hidden_size"):
        causal_config(tmp_path, Settings())


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_remote_code_is_refused(tmp_path: Path, name: str) -> None:
    """Code that comes with a checkpoint is not run, and the option that allows it is named."""
    _edit(_config(tmp_path, "LlamaConfig", "LlamaForCausalLM"), name, auto_map={"AutoConfig": "code.Config"})
    (tmp_path / "code.py").write_text("raise SystemExit('was run')")
    with pytest.raises(ModelError, match=rf"{name} wants to run Python code") as raised:
        causal_config(tmp_path, Settings())
    assert "--lengthprobe-allow-remote-code" in raised.value.fix


def test_remote_code_when_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allowed, the checkpoint's own config class is used."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    directory = _config(tmp_path / "own", "LlamaConfig", "OwnForCausalLM")
    _edit(directory, model_type="own", auto_map={"AutoConfig": "code.OwnConfig"})
    (directory / "code.py").write_text(
        'from transformers import LlamaConfig\n\nclass OwnConfig(LlamaConfig):\n    model_type = "own"\n'
    )
    config = causal_config(directory, Settings(allow_remote_code=True))
    assert type(config).__name__ == "OwnConfig"
