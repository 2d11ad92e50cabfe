"""Small random models of every architecture, in which each term of an attribution weighs something.

A fresh model has every bias 0 and every norm gain trivial, so that code which ignores them passes. Here every
parameter is drawn, at a scale where outputs depend on position and prompt.
"""

from __future__ import annotations

from typing import Any

import torch
import transformers
from torch import nn

VOCABULARY = 97
LAYERS = 3
HEADS = 4
WIDTH = 32
# Narrower than the rows of the tests.
WINDOW = 5
# Beside streams of about 1, so that a norm without it shows.
EPSILON = 0.2

# Heads narrower than width / heads, which an implementation may not take for granted.
_MODERN = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "intermediate_size": 48,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "head_dim": 6,
    "tie_word_embeddings": False,
    "rms_norm_eps": EPSILON,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 3,
}
_WHOLE_HEADS = {name: value for name, value in _MODERN.items() if name != "head_dim"}
_LOCAL = {
    "sliding_window": WINDOW,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    "query_pre_attn_scalar": 7,
}
# Two heads of the linear layers are as wide as one of the others.
_LINEAR = {
    "head_dim": 8,
    "partial_rotary_factor": 0.75,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "linear_num_key_heads": 4,
    "linear_num_value_heads": 8,
    "linear_key_head_dim": 4,
    "linear_value_head_dim": 4,
}
_CAPS = {"final_logit_softcapping": 6.0, "attn_logit_softcapping": 4.0, "attn_implementation": "eager"}
_NEOX = {name: value for name, value in _WHOLE_HEADS.items() if name != "num_key_value_heads"} | {
    "attention_bias": True,
    "layer_norm_eps": EPSILON,
}
_GPT2 = {
    "vocab_size": VOCABULARY,
    "n_embd": WIDTH,
    "n_layer": LAYERS,
    "n_head": HEADS,
    "n_positions": 64,
    "layer_norm_epsilon": EPSILON,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 3,
}

# What sees is never run, and so small that it costs nothing to build.
_TOWER = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
_VISUAL = {"depth": 1, "hidden_size": 8, "num_heads": 1, "patch_size": 2, "out_hidden_size": WIDTH}
_POSITIONS = {"num_position_embeddings": 4, "deepstack_visual_indexes": [0], "intermediate_size": 8}
_IMAGE_TOKENS = {"image_token_id": 90, "video_token_id": 91, "vision_start_token_id": 92}
_GEMMA_SEES = {
    "text_config": _MODERN | _LOCAL,
    "vision_config": _TOWER | {"image_size": 4, "patch_size": 2},
    "mm_tokens_per_image": 4,
    "image_token_index": 90,
}
_MISTRAL_SEES = {
    "text_config": _MODERN | {"model_type": "mistral", "sliding_window": WINDOW},
    "vision_config": _TOWER | {"model_type": "pixtral", "head_dim": 8, "image_size": 4, "patch_size": 2},
    "image_token_index": 90,
}


def _qwen_sees(text: dict[str, Any], sections: list[int], **vision: Any) -> dict[str, Any]:
    """A Qwen with vision: each pair of a head's dimensions turns with one of three positions."""
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": sections}
    return {
        "text_config": text | {"rope_parameters": rope},
        "vision_config": _VISUAL | vision,
    } | _IMAGE_TOKENS


# Of three experts two are asked.
_EXPERTS = {"num_experts": 3, "num_experts_per_tok": 2, "moe_intermediate_size": 12}
_SHARED = _EXPERTS | {"shared_expert_intermediate_size": 20, "norm_topk_prob": True}

# name → (config class, model class, what the config says)
_MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", _MODERN),
    "llama-biases": (
        "LlamaConfig",
        "LlamaForCausalLM",
        _MODERN | {"attention_bias": True, "mlp_bias": True},
    ),
    "llama-unembedding_bias": ("LlamaConfig", "LlamaForCausalLM", _MODERN),
    "llama-tied": ("LlamaConfig", "LlamaForCausalLM", _MODERN | {"tie_word_embeddings": True}),
    "mistral": ("MistralConfig", "MistralForCausalLM", _MODERN | {"sliding_window": WINDOW}),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", _WHOLE_HEADS),
    "qwen3": ("Qwen3Config", "Qwen3ForCausalLM", _MODERN | {"attention_bias": True}),
    "gemma2": ("Gemma2Config", "Gemma2ForCausalLM", _MODERN | _LOCAL | _CAPS),
    "gemma2-biases": (
        "Gemma2Config",
        "Gemma2ForCausalLM",
        _MODERN | _LOCAL | _CAPS | {"attention_bias": True, "tie_word_embeddings": True},
    ),
    "gemma3_text": ("Gemma3TextConfig", "Gemma3ForCausalLM", _MODERN | _LOCAL),
    "phi3": ("Phi3Config", "Phi3ForCausalLM", _WHOLE_HEADS),
    "olmo2": ("Olmo2Config", "Olmo2ForCausalLM", _WHOLE_HEADS),
    "olmo2-biases": ("Olmo2Config", "Olmo2ForCausalLM", _WHOLE_HEADS | {"attention_bias": True}),
    "gpt_neox": ("GPTNeoXConfig", "GPTNeoXForCausalLM", _NEOX | {"use_parallel_residual": True}),
    "gpt_neox-sequential": (
        "GPTNeoXConfig",
        "GPTNeoXForCausalLM",
        _NEOX | {"use_parallel_residual": False},
    ),
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", _GPT2),
    "gpt2-untied": ("GPT2Config", "GPT2LMHeadModel", _GPT2 | {"tie_word_embeddings": False}),
    "gemma3_text-sees": ("Gemma3Config", "Gemma3ForConditionalGeneration", _GEMMA_SEES),
    "mistral-sees": ("Mistral3Config", "Mistral3ForConditionalGeneration", _MISTRAL_SEES),
    "qwen2_vl_text-sees": (
        "Qwen2VLConfig",
        "Qwen2VLForConditionalGeneration",
        _qwen_sees(_WHOLE_HEADS, [1, 1, 2], embed_dim=8, hidden_size=WIDTH),
    ),
    "qwen2_5_vl_text-sees": (
        "Qwen2_5_VLConfig",
        "Qwen2_5_VLForConditionalGeneration",
        _qwen_sees(_WHOLE_HEADS, [1, 1, 2], intermediate_size=8),
    ),
    "qwen3_vl_text-sees": (
        "Qwen3VLConfig",
        "Qwen3VLForConditionalGeneration",
        _qwen_sees(_MODERN, [1, 1, 1], **_POSITIONS),
    ),
    "qwen3_5_text-sees": (
        "Qwen3_5Config",
        "Qwen3_5ForConditionalGeneration",
        _qwen_sees(_MODERN | _LINEAR, [1, 1, 1], **_POSITIONS),
    ),
    "qwen3_vl_moe_text-sees": (
        "Qwen3VLMoeConfig",
        "Qwen3VLMoeForConditionalGeneration",
        _qwen_sees(_MODERN | _EXPERTS, [1, 1, 1], **_POSITIONS),
    ),
    "qwen3_5_moe_text-sees": (
        "Qwen3_5MoeConfig",
        "Qwen3_5MoeForConditionalGeneration",
        _qwen_sees(_MODERN | _LINEAR | _SHARED, [1, 1, 1], **_POSITIONS),
    ),
    "mixtral": ("MixtralConfig", "MixtralForCausalLM", _MODERN | {"num_local_experts": 3}),
    "qwen2_moe": ("Qwen2MoeConfig", "Qwen2MoeForCausalLM", _WHOLE_HEADS | _SHARED),
    "qwen3_moe": ("Qwen3MoeConfig", "Qwen3MoeForCausalLM", _MODERN | _EXPERTS),
    "olmoe": ("OlmoeConfig", "OlmoeForCausalLM", _WHOLE_HEADS | _EXPERTS),
    "gpt_oss": (
        "GptOssConfig",
        "GptOssForCausalLM",
        _MODERN
        | {"num_local_experts": 3, "num_experts_per_tok": 2, "sliding_window": WINDOW}
        | {"layer_types": _LOCAL["layer_types"], "attn_implementation": "eager"},
    ),
    "qwen3_5_text": ("Qwen3_5TextConfig", "Qwen3_5ForCausalLM", _MODERN | _LINEAR),
}

SEEING = tuple(one for one in _MODELS if one.endswith("-sees"))
LINEAR = ("qwen3_5_text", "qwen3_5_text-sees", "qwen3_5_moe_text-sees")
EXPERTS = ("mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "gpt_oss")
# Those above have tests of their own: a part of what they compute is in float32 whatever their format.
KINDS = tuple(dict.fromkeys((*SEEING, *LINEAR, *EXPERTS)))
VARIANTS = tuple(one for one in _MODELS if one not in KINDS)


def architecture(variant: str) -> str:
    """The architecture that a variant is one of."""
    return variant.partition("-")[0]


def random_model(variant: str, *, dtype: torch.dtype = torch.float32, seed: int = 0) -> Any:
    """A new model of a variant, every parameter drawn from a seed, in evaluation mode.

    In float64 its RMS norms are those of the formula: transformers computes them in float32 in every model.
    """
    config_class, model_class, stated = _MODELS[variant]
    implementation = stated.get("attn_implementation", "sdpa")
    settings = {name: value for name, value in stated.items() if name != "attn_implementation"}
    config = getattr(transformers, config_class)(**settings)
    config._attn_implementation = implementation
    for part in {id(one): one for one in (config, config.get_text_config())}.values():
        # The fast one takes no float64.
        part._experts_implementation = "eager" if dtype == torch.float64 else None
    model = getattr(transformers, model_class)(config).eval()
    if variant.endswith("unembedding_bias"):
        model.lm_head.bias = nn.Parameter(torch.zeros(VOCABULARY))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(_drawn(name, parameter, generator))
        _silence_scaled_embedding(model)
    model = model.to(dtype).requires_grad_(requires_grad=False)
    if dtype == torch.float64:
        _take_norms_at_their_word(model)
        _keep_masks_finite(model)
    return model


def _drawn(name: str, parameter: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    noise = torch.randn(parameter.shape, generator=generator)
    if name.endswith("A_log"):
        # How fast linear attention forgets: transformers draws it anew in every model.
        return 1 + 0.3 * noise
    if parameter.dim() == 1:
        # A gain keeps its centre (0 in Gemma, which adds 1), a bias its own.
        return parameter.mean() + 0.3 * noise
    if any(part in name for part in ("embed", "wte", "wpe", "lm_head")):
        return noise * 0.5
    # The layers have their say beside the embedding; Conv1D keeps its inputs first.
    inputs = parameter.shape[0] if ".c_" in name else parameter.shape[1]
    return noise * 2.0 * inputs**-0.5


def _silence_scaled_embedding(model: nn.Module) -> None:
    """Take back the scale of Gemma's embedding, beside which random layers would hardly count."""
    embedding: Any = model.get_input_embeddings()  # type: ignore[operator]
    scale = getattr(embedding, "embed_scale", None)
    if scale is not None:
        embedding.weight.mul_(1.5 / float(scale))


def _take_norms_at_their_word(model: nn.Module) -> None:
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = _rms_norm(module)  # type: ignore[method-assign]


def _rms_norm(module: Any) -> Any:
    shift = 1.0 if type(module).__name__.startswith(("Gemma", "Qwen3_5")) else 0.0
    epsilon = getattr(module, "variance_epsilon", None) or module.eps

    def forward(x: torch.Tensor) -> torch.Tensor:
        assert x.dtype == torch.float64
        return x / (x.pow(2).mean(-1, keepdim=True) + epsilon).sqrt() * (module.weight + shift)

    return forward


def _keep_masks_finite(model: nn.Module) -> None:
    """Eager attention takes its softmax in float32, where the least number of float64 is minus infinity."""

    def bound(_module: object, args: Any, kwargs: dict[str, Any]) -> Any:
        mask = kwargs.get("attention_mask")
        if mask is not None and mask.is_floating_point():
            kwargs["attention_mask"] = mask.clamp(min=-1e30)
        return args, kwargs

    for module in model.modules():
        if type(module).__name__.endswith("Attention"):
            module.register_forward_pre_hook(bound, with_kwargs=True)


def random_rows() -> tuple[torch.Tensor, torch.Tensor, int]:
    """Token ids and mask, [4, 12], and the column where responses start: whole, and padded on either side."""
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(4, VOCABULARY, (4, 12), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, :4] = 0
    mask[2, 9:] = 0
    mask[3, :1] = mask[3, 11:] = 0
    return ids, mask, 7
