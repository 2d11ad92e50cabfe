"""Adapters of many kinds: merged, they answer as they did unmerged, or they are refused."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
import transformers
from peft.tuners.lora import Linear as LoraLinear

from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    # peft reads a property that transformers is about to rename.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
    # What peft says where these adapters are made and where they are loaded for comparison.
    pytest.mark.filterwarnings("ignore::UserWarning:peft"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning:peft"),
]

CPU = Settings(device_map="cpu")
IDS = torch.tensor([[0, 50, 100, 150, 3, 7]])


@pytest.fixture
def base(checkpoints: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that saves a small Llama, its unembedding tied to its embedding or not."""

    def save(*, tied: bool = True) -> Path:
        directory = tmp_path / f"base-{tied}"
        if not directory.exists():
            shutil.copytree(checkpoints("llama"), directory)
            config = transformers.AutoConfig.from_pretrained(directory)
            config.tie_word_embeddings = tied
            config.initializer_range = 0.2
            torch.manual_seed(0)
            transformers.AutoModelForCausalLM.from_config(config).save_pretrained(directory)
        return directory

    return save


@pytest.fixture
def trained(base: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that saves an adapter with random weights, made by a config of peft."""

    def save(config: peft.PeftConfig, *, tied: bool = True) -> Path:
        torch.manual_seed(1)
        model = peft.get_peft_model(_model(base(tied=tied)), config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn(parameter.shape) * 0.1)
        directory = tmp_path / "adapter"
        model.save_pretrained(directory)
        return directory

    return save


def _model(directory: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(directory)


def _lora(**settings: Any) -> peft.LoraConfig:
    return peft.LoraConfig(
        **{"r": 4, "task_type": "CAUSAL_LM", "target_modules": ["q_proj"], "init_lora_weights": False}
        | settings
    )


def _unmerged(directory: Path, adapter: Path) -> Any:
    return peft.PeftModel.from_pretrained(_model(directory), adapter).eval()


MERGEABLE = {
    "tied unembedding": _lora(target_modules=["q_proj", "lm_head"]),
    "tied embedding": _lora(target_modules=["q_proj", "embed_tokens"]),
    "both ends": _lora(target_modules=["embed_tokens", "lm_head"]),
    "replicated layers": _lora(layer_replication=[[0, 2], [1, 3]]),
    "replicated layers, tied unembedding": _lora(
        layer_replication=[[0, 2], [1, 3]], target_modules=["q_proj", "lm_head"]
    ),
    "DoRA": _lora(use_dora=True, target_modules=["q_proj", "lm_head"]),
    "rsLoRA": _lora(use_rslora=True),
    "both ends saved": _lora(modules_to_save=["embed_tokens", "lm_head"]),
    "unembedding saved": _lora(modules_to_save=["lm_head"]),
    "tokens": _lora(trainable_token_indices=[3, 7]),
    "biases": _lora(bias="lora_only"),
    "a parameter": _lora(target_modules=[], target_parameters=["q_proj.weight"]),
    "a scale of its own": _lora(alpha_pattern={"layers.1.self_attn.q_proj": 64}),
    "IA3": peft.IA3Config(
        task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]
    ),
    "OFT": peft.OFTConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], oft_block_size=16),
}


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("kind", MERGEABLE)
def test_merged_as_unmerged(
    kind: str, tied: bool, base: Callable[..., Path], trained: Callable[..., Path]
) -> None:
    """A merged adapter has the logits of the unmerged one, and goes on from a cache as that does."""
    adapter = trained(MERGEABLE[kind], tied=tied)
    expected = _unmerged(base(tied=tied), adapter)
    merged = load_checkpoint(str(adapter), CPU).model
    with torch.inference_mode():
        right = expected(IDS).logits
        torch.testing.assert_close(merged(IDS).logits, right, rtol=0, atol=1e-4 * float(right.abs().max()))
    # The loaded model has a plain one too.
    expected.generation_config = transformers.GenerationConfig()
    steps: dict[str, Any] = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": 4}
    assert merged.generate(IDS, **steps).tolist() == expected.generate(input_ids=IDS, **steps).tolist()


@pytest.mark.parametrize(("target", "tied"), [("lm_head", False), ("q_proj", True)])
def test_config_says_what_is_tied(target: str, tied: bool, trained: Callable[..., Path]) -> None:
    """An unembedding that got a weight of its own is no longer tied by the config; any other stays."""
    model = load_checkpoint(str(trained(_lora(target_modules=[target]))), CPU).model
    assert model.config.tie_word_embeddings is tied
    assert (model.lm_head.weight is model.model.embed_tokens.weight) is tied


def test_merging_that_changes_logits(trained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the merged model answers otherwise, the adapter is refused, with how far apart they are."""
    adapter = trained(_lora())
    monkeypatch.setattr(LoraLinear, "merge", lambda *_, **__: None)
    with pytest.raises(ModelError, match=r"answers otherwise once it is merged .* its logits move by up to"):
        load_checkpoint(str(adapter), CPU)


def test_settings_that_merging_cannot_take_together(trained: Callable[..., Path]) -> None:
    """Trained tokens beside a LoRA on the tied unembedding, which merging mixes up, are refused by name."""
    adapter = trained(_lora(trainable_token_indices=[3, 7], target_modules=["q_proj", "lm_head"]))
    with pytest.raises(ModelError, match=r"trainable_token_indices=\[3, 7\].*answers otherwise") as raised:
        load_checkpoint(str(adapter), CPU)
    assert str(adapter) in raised.value.problem


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_formats_merge(dtype: str, trained: Callable[..., Path]) -> None:
    """In a half format, where merging rounds, an adapter is taken all the same."""
    adapter = trained(_lora(target_modules=["q_proj", "down_proj"]))
    assert load_checkpoint(str(adapter), Settings(device_map="cpu", dtype=dtype)).model.dtype is getattr(
        torch, dtype
    )


def test_lora_bias(trained: Callable[..., Path]) -> None:
    """A LoRA with biases, for which the base has no place, is refused by name, and its base is not blamed."""
    adapter = trained(_lora(lora_bias=True))
    with pytest.raises(ModelError, match=r"cannot be merged into the weights .*lora_bias=True") as raised:
        load_checkpoint(str(adapter), CPU)
    assert str(adapter) in raised.value.problem
    assert " config.json" not in str(raised.value)


def test_activated_lora(trained: Callable[..., Path]) -> None:
    """A LoRA that acts after certain tokens only is refused, since merged it would always act."""
    adapter = trained(_lora(alora_invocation_tokens=[40, 50]))
    with pytest.raises(ModelError, match="alora_invocation_tokens"):
        load_checkpoint(str(adapter), CPU)


@pytest.mark.parametrize(
    "config",
    [
        peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
        peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
        peft.AdaptionPromptConfig(task_type="CAUSAL_LM", adapter_len=4, adapter_layers=2),
    ],
    ids=lambda config: config.peft_type.value,
)
def test_kind_without_weights_to_merge(config: peft.PeftConfig, trained: Callable[..., Path]) -> None:
    """An adapter that adds prompts, and has nothing to merge, is refused by its kind."""
    with pytest.raises(ModelError, match=f"kind {config.peft_type.value}, which cannot be merged"):
        load_checkpoint(str(trained(config)), CPU)


def test_base_that_is_not_finite(base: Callable[..., Path], trained: Callable[..., Path]) -> None:
    """Weights of the base that are not finite are not laid on the adapter."""
    adapter = trained(_lora())
    model = _model(base())
    with torch.no_grad():
        model.model.norm.weight[0] = float("nan")
    model.save_pretrained(base())
    with pytest.raises(ModelError, match=r"not finite \(NaN or infinite\): model\.norm\.weight"):
        load_checkpoint(str(adapter), CPU)


def test_scale_beyond_every_number(trained: Callable[..., Path]) -> None:
    """An adapter that makes the logits overflow is refused before it is merged, with its scale named."""
    adapter = trained(_lora())
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lora_alpha": 1e200}))
    with pytest.raises(ModelError, match="logits that are not finite") as raised:
        load_checkpoint(str(adapter), CPU)
    assert "lora_alpha" in raised.value.fix
