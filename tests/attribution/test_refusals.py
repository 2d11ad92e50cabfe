"""What cannot be attributed is refused, with what was wrong and what to do."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lengthprobe.attribution import direct_logit_attribution
from lengthprobe.attribution.completeness import check_completeness
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.architectures import ARCHITECTURES
from lengthprobe.errors import ModelError
from tests.attribution.architectures import VOCABULARY, random_model, random_rows

IDS, MASK, START = random_rows()
HOLE = MASK.clone()
HOLE[0, 3] = 0
LATE_HOLE = MASK.clone()
LATE_HOLE[0, 9] = 0
FIRST_MISSING = MASK.clone()
FIRST_MISSING[0, START] = 0
NO_PROMPT = MASK.clone()
NO_PROMPT[0, :START] = 0
PADDED_MIDDLE = MASK.clone()
PADDED_MIDDLE[0, START - 1] = 0
# peft calls transformers' method by its old name.
DEPRECATED = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def llama() -> Any:
    """A random Llama."""
    return random_model("llama")


@pytest.mark.parametrize(
    ("start", "says"),
    [(0, "start 0 lies outside the rows"), (-1, "start -1"), (13, "start 13"), (100, "so 1 to 12")],
)
def test_start_outside_the_rows(llama: Any, start: int, says: str) -> None:
    """A response starts after a prompt of at least one token, and within the row."""
    with pytest.raises(ValueError, match=says):
        direct_logit_attribution(llama, IDS, MASK, start)


@pytest.mark.parametrize(
    "mask",
    [HOLE, LATE_HOLE, FIRST_MISSING, NO_PROMPT, PADDED_MIDDLE],
    ids=["in the prompt", "in the response", "before the response", "no prompt", "right-padded prompt"],
)
def test_mask_with_holes(llama: Any, mask: torch.Tensor) -> None:
    """A row is padded on the left and on the right, and nowhere else."""
    with pytest.raises(ValueError, match="attention_mask has holes") as raised:
        direct_logit_attribution(llama, IDS, mask, START)
    assert "padded on the left" in str(raised.value)


@pytest.mark.parametrize("token", [VOCABULARY, -1, -100, 10_000])
def test_tokens_outside_the_vocabulary(llama: Any, token: int) -> None:
    """A token that the model does not have is named, with the size of its vocabulary."""
    ids = IDS.clone()
    ids[1, 8] = token
    with pytest.raises(ValueError, match=f"token {token} .*vocabulary of {VOCABULARY}"):
        direct_logit_attribution(llama, ids, MASK, START)


def test_shapes_that_do_not_fit(llama: Any) -> None:
    """Ids and mask are two arrays of one shape."""
    with pytest.raises(ValueError, match=r"input_ids \(4, 12\) and attention_mask \(4, 11\)"):
        direct_logit_attribution(llama, IDS, MASK[:, 1:], START)
    with pytest.raises(ValueError, match=r"input_ids \(12,\)"):
        direct_logit_attribution(llama, IDS[0], MASK[0], START)


def test_unknown_target(llama: Any) -> None:
    """A target that does not exist is answered with those that do."""
    with pytest.raises(ValueError, match="'logit' is none of token, stop_margin"):
        direct_logit_attribution(llama, IDS, MASK, START, target="logit")


@pytest.mark.parametrize("ends", [[], [VOCABULARY], [-1]])
def test_end_tokens(llama: Any, ends: list[int]) -> None:
    """The stop margin needs end tokens of the vocabulary."""
    with pytest.raises(ValueError, match="end_token_ids="):
        direct_logit_attribution(llama, IDS, MASK, START, target="stop_margin", end_token_ids=ends)


def test_no_end_tokens_known() -> None:
    """Where the generation config names no end token, one is asked for."""
    model = random_model("llama")
    model.generation_config.eos_token_id = None
    with pytest.raises(ValueError, match="end_token_ids="):
        direct_logit_attribution(model, IDS, MASK, START, target="stop_margin")


def test_training_mode() -> None:
    """A model in training mode, whose dropout is on, is refused."""
    with pytest.raises(ValueError, match=r"model\.eval\(\)"):
        direct_logit_attribution(random_model("llama").train(), IDS, MASK, START)


def _small(name: str, **more: Any) -> Any:
    import transformers

    size = {"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    size |= {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = getattr(transformers, f"{name}Config")(**(size | more))
    return getattr(transformers, f"{name}ForCausalLM")(config).eval()


@pytest.mark.parametrize("name", ["Starcoder2", "StableLm", "Granite", "Cohere", "Gemma"])
def test_unknown_architecture(name: str) -> None:
    """An architecture without an entry is refused by name, with the list of those that have one."""
    model = _small(name)
    with pytest.raises(ModelError, match=f"architecture {model.config.model_type!r}") as raised:
        direct_logit_attribution(model, IDS, MASK, START)
    assert all(known in raised.value.fix for known in ARCHITECTURES)


@pytest.mark.parametrize(
    ("name", "more"),
    [("GraniteMoe", {"num_local_experts": 2}), ("Glm4Moe", {"n_routed_experts": 4, "n_group": 1})],
)
def test_mixture_of_experts(name: str, more: dict[str, int]) -> None:
    """A mixture of experts without an entry is called one."""
    with pytest.raises(ModelError, match="mixture of experts"):
        anatomy_of(_small(name, **more))


def test_meta() -> None:
    """A model whose weights are on the meta device is refused, with where to load it."""
    model = random_model("llama").to("meta")
    with pytest.raises(ModelError, match="no weights in memory") as raised:
        direct_logit_attribution(model, IDS, MASK, START)
    assert "--lengthprobe-device-map" in raised.value.fix


@pytest.mark.parametrize(
    "part", ["lm_head", "model.layers.1.self_attn.o_proj", "model.norm", "model.layers.2.mlp"]
)
def test_partly_on_meta(part: str) -> None:
    """A single component on the meta device is enough."""
    model = random_model("llama")
    model.get_submodule(part).to("meta")
    with pytest.raises(ModelError, match="no weights in memory"):
        direct_logit_attribution(model, IDS, MASK, START)


def test_offloaded_to_disk(tmp_path: Any) -> None:
    """A model that accelerate keeps on disk is refused."""
    from accelerate import disk_offload

    model = disk_offload(random_model("llama"), tmp_path, execution_device=torch.device("cpu"))
    with pytest.raises(ModelError, match="no weights in memory"):
        direct_logit_attribution(model, IDS, MASK, START)


class _Int8(torch.nn.Linear):
    """A stand-in for a quantized linear layer, which keeps integers."""


@pytest.mark.parametrize("part", ["lm_head", "model.layers.1.self_attn.o_proj"])
def test_quantized(part: str) -> None:
    """A quantized component is refused by the name of its class."""
    model = random_model("llama")
    plain = model.get_submodule(part)
    model.set_submodule(part, _Int8(plain.in_features, plain.out_features, bias=False))
    with pytest.raises(ModelError, match="_Int8: quantized or replaced") as raised:
        direct_logit_attribution(model, IDS, MASK, START)
    assert "unquantized" in raised.value.fix


def test_quantized_dynamically() -> None:
    """A layer of eight-bit integers is refused too."""
    model = random_model("llama")
    plain = model.model.layers[0].self_attn.o_proj
    plain.weight = torch.nn.Parameter(plain.weight.mul(100).to(torch.int8), requires_grad=False)
    with pytest.raises(ModelError, match="attention output projection of layer 0"):
        direct_logit_attribution(model, IDS, MASK, START)


@pytest.mark.parametrize("target", ["o_proj", "q_proj", "gate_proj"])
@DEPRECATED
def test_adapter(target: str) -> None:
    """A model wrapped by an adapter is refused, wherever the adapter sits, with how to merge it."""
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(random_model("llama"), LoraConfig(target_modules=[target]))
    with pytest.raises(ModelError, match="adapter") as raised:
        direct_logit_attribution(model, IDS, MASK, START)
    assert "merge_and_unload" in raised.value.fix


@DEPRECATED
def test_merged_adapter() -> None:
    """A merged adapter is a plain model again."""
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(random_model("llama"), LoraConfig(target_modules=["o_proj"])).merge_and_unload()
    attribution = direct_logit_attribution(model, IDS, MASK, START)
    torch.testing.assert_close(attribution.total, attribution.logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_uneven_heads(heads: int) -> None:
    """A model with heads pruned in one layer is refused."""
    model = random_model("llama")
    attention = model.model.layers[1].self_attn
    attention.o_proj = torch.nn.Linear(heads * 6, 32, bias=False)
    with pytest.raises(ModelError, match="other attention heads than 4 of width 6 in every layer") as raised:
        direct_logit_attribution(model, IDS, MASK, START)
    assert f"(32, {heads * 6}), (32, 24)" in raised.value.problem
    assert "pruned" in raised.value.fix


def test_evenly_pruned_heads() -> None:
    """Half the heads pruned in every layer, and not in the config, are not taken for heads half as wide."""
    model = random_model("llama")
    for layer in model.model.layers:
        layer.self_attn.o_proj = torch.nn.Linear(2 * 6, 32, bias=False)
    with pytest.raises(ModelError, match="other attention heads than 4 of width 6"):
        anatomy_of(model)


def test_missing_component() -> None:
    """A component that is not where the architecture keeps it is named."""
    model = random_model("llama")
    model.model.layers[0].self_attn.out = model.model.layers[0].self_attn.o_proj
    del model.model.layers[0].self_attn.o_proj
    with pytest.raises(ModelError, match=r"no module 'self_attn\.o_proj', where architecture llama"):
        anatomy_of(model)


@pytest.mark.parametrize(
    ("variant", "part", "says"),
    [
        ("llama", "model.layers.1.self_attn.o_proj", "attention of layer 1"),
        ("llama", "model.layers.1.mlp.down_proj", "MLP of layer 1"),
        ("llama", "model.layers.0.self_attn.v_proj", "attention of layer 0"),
        ("gemma2", "model.layers.2.post_feedforward_layernorm", "MLP of layer 2"),
        ("gpt2", "transformer.h.2.attn.c_proj", "attention of layer 2"),
        ("gpt_neox", "gpt_neox.layers.0.mlp", "MLP of layer 0"),
        ("llama", "model.embed_tokens", "embedding"),
    ],
)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_one_component_gives_nan(variant: str, part: str, says: str, value: float) -> None:
    """Where one component gives NaN or overflows, it is said which one was the first."""
    model = random_model(variant)
    for name, parameter in model.get_submodule(part).named_parameters():
        if "norm" in part or name.endswith("weight"):
            parameter.fill_(value)
    attribution = direct_logit_attribution(model, IDS, MASK, START)
    with pytest.raises(
        ModelError, match=f"tiny gives NaN or infinite numbers (first )?in (the|its) {says}"
    ) as raised:
        check_completeness("tiny", anatomy_of(model), attribution)
    assert "--lengthprobe-dtype" in raised.value.fix
