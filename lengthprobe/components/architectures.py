"""Architectures: where the models of each keep the components whose outputs make the residual stream.

To add an architecture, write an entry in `ARCHITECTURES`; completeness proves the entry before a run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """The places of the components in models of an architecture, as dotted module names.

    Args:
        layers: The list of layers, from the decoder.
        projection: The attention's output projection, from a layer. The input is the heads' outputs, side by
            side; the output is the sum of the heads' terms and the bias.
        mlp: The module whose output is added to the stream for the MLP, from a layer: the MLP, the whole
            block of a mixture of experts (router and shared experts in it), or the norm that follows either.
        final_norm: The norm before the unembedding, from the decoder.
        norm: `rms` (gain w), `rms+1` (gain 1 + w), or `layer` (LayerNorm: mean, gain, bias).
        attention_norm: The norm between the output projection and the stream, from a layer; None without one.
        linear_projection: The output projection of a layer with linear attention; None where no layer has it.
    """

    layers: str = "layers"
    projection: str = "self_attn.o_proj"
    mlp: str = "mlp"
    final_norm: str = "norm"
    norm: str = "rms"
    attention_norm: str | None = None
    linear_projection: str | None = None


_LLAMA_LIKE = Architecture()
_GEMMA = Architecture(
    norm="rms+1", attention_norm="post_attention_layernorm", mlp="post_feedforward_layernorm"
)
_QWEN_3_5 = Architecture(norm="rms+1", linear_projection="linear_attn.out_proj")

# By the model_type of the config, or of the text model's part of one.
ARCHITECTURES: dict[str, Architecture] = {
    "llama": _LLAMA_LIKE,
    "mistral": _LLAMA_LIKE,
    "qwen2": _LLAMA_LIKE,
    "qwen3": _LLAMA_LIKE,
    "phi3": _LLAMA_LIKE,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "olmo2": Architecture(attention_norm="post_attention_layernorm", mlp="post_feedforward_layernorm"),
    "qwen2_vl_text": _LLAMA_LIKE,
    "qwen2_5_vl_text": _LLAMA_LIKE,
    "qwen3_vl_text": _LLAMA_LIKE,
    "qwen3_5_text": _QWEN_3_5,
    "mixtral": _LLAMA_LIKE,
    "qwen2_moe": _LLAMA_LIKE,
    "qwen3_moe": _LLAMA_LIKE,
    "olmoe": _LLAMA_LIKE,
    "gpt_oss": _LLAMA_LIKE,
    "qwen3_vl_moe_text": _LLAMA_LIKE,
    "qwen3_5_moe_text": _QWEN_3_5,
    "gpt_neox": Architecture(projection="attention.dense", final_norm="final_layer_norm", norm="layer"),
    "gpt2": Architecture(layers="h", projection="attn.c_proj", final_norm="ln_f", norm="layer"),
}
