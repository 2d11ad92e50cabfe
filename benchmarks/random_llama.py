"""Llama models of a shape, with random weights that give outputs which are not trivial, and rows for them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig

from lengthprobe.checkpoints.loading import Checkpoint

_LLAMA_3_1_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {
        "num_hidden_layers": 2,
        "hidden_size": 64,
        "intermediate_size": 176,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 512,
    },
    "210m": {
        "num_hidden_layers": 16,
        "hidden_size": 1024,
        "intermediate_size": 2816,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
        "vocab_size": 32_000,
    },
    # Llama 3.1 8B.
    "8b": {
        "num_hidden_layers": 32,
        "hidden_size": 4096,
        "intermediate_size": 14_336,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
        "max_position_embeddings": 131_072,
        "rope_parameters": _LLAMA_3_1_ROPE,
        "rms_norm_eps": 1e-5,
    },
}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Prompts and responses of random tokens, nearly all of them different, without padding.

    Args:
        ids: [n, S]
        mask: All ones, [n, S].
        start: The column of the responses' first token.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    start: int

    @property
    def prompts(self) -> list[list[int]]:
        """The tokens before the responses."""
        return self.ids[:, : self.start].tolist()


def random_llama(shape: str, dtype: torch.dtype, device: torch.device) -> Any:
    """A model of a shape, made on the device, every parameter drawn: its best token hangs on all before."""
    config = LlamaConfig(**SHAPES[shape], tie_word_embeddings=False)
    # Where there is no end token none is looked for; the runs say what theirs are.
    config.bos_token_id = config.eos_token_id = config.pad_token_id = None
    with device:
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation="sdpa").eval()
    generator = torch.Generator(device).manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.normal_(1.0, 0.3, generator=generator)
            elif "embed" in name:
                parameter.normal_(0.0, 1.0, generator=generator)
            else:
                parameter.normal_(0.0, parameter.shape[1] ** -0.5, generator=generator)
    return model.requires_grad_(requires_grad=False)


def random_rows(model: Any, batch: int, prompt: int, response: int) -> Rows:
    """Rows for a model, drawn uniformly from its vocabulary."""
    device = model.get_input_embeddings().weight.device
    ids = torch.randint(
        model.config.vocab_size, (batch, prompt + response), generator=torch.Generator().manual_seed(1)
    )
    return Rows(ids.to(device), torch.ones_like(ids, device=device), prompt)


def checkpoint_of(model: Any, ends: tuple[int, ...]) -> Checkpoint:
    """A checkpoint around a model, without a tokenizer, whose responses some tokens end."""
    model.generation_config = GenerationConfig()
    return Checkpoint(
        files=None,
        model=model,
        tokenizer=None,
        end_token_ids=ends,
        pad_token_id=0,
        chat_template=None,
        device=model.device,
        dtype=model.dtype,
        attention="sdpa",
        context=None,
        overridden=(),
    )


def options(description: str | None) -> argparse.ArgumentParser:
    """What every benchmark on such a model can be told."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=SHAPES, default="210m")
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32])
    parser.add_argument(
        "--dtype", nargs="+", choices=("float32", "bfloat16"), default=["float32", "bfloat16"]
    )
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory", choices=("with", "only", "no"), default="with")
    return parser
