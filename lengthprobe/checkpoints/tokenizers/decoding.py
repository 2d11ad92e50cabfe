"""Decoding of a checkpoint: greedy, whatever its own generation config asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers import GenerationConfig

from lengthprobe.checkpoints.disk.weights import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# These do not change which token is chosen, or are lengthprobe's own to say (ends, lengths).
_HARMLESS = frozenset(
    {
        *(
            "bos_token_id",
            "eos_token_id",
            "pad_token_id",
            "max_length",
            "max_new_tokens",
            "transformers_version",
        ),
        *(
            "use_cache",
            "return_dict_in_generate",
            "output_attentions",
            "output_hidden_states",
            "output_scores",
        ),
        *("output_logits", "_from_model_config", "cache_implementation", "cache_config", "max_cache_len"),
        *("compile_config", "disable_compile", "low_memory", "prefill_chunk_size", "decoder_start_token_id"),
    }
)
_ONLY_SAMPLING = frozenset(
    {
        *("temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff"),
        *("renormalize_logits", "use_mtp"),
    }
)
# Old configs spell out the defaults.
_NEUTRAL = {
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "length_penalty": 1.0,
    "temperature": 1.0,
    "top_p": 1.0,
    "typical_p": 1.0,
    "top_k": 50,
    "num_beams": 1,
    "num_beam_groups": 1,
    "num_return_sequences": 1,
    "guidance_scale": 1.0,
    "num_assistant_tokens": 20,
    "num_assistant_tokens_schedule": "constant",
    "assistant_confidence_threshold": 0.4,
    "target_lookbehind": 10,
    "assistant_lookbehind": 10,
}


def stated_generation(directory: Path) -> dict[str, Any]:
    """A checkpoint's own generation config, from its file, or from config.json for an old checkpoint.

    The file is read as plain JSON: transformers would refuse some combinations of values, though they do not
    matter in greedy decoding.

    Raises:
        ModelError: The file cannot be read.
    """
    own = directory / "generation_config.json"
    if own.is_file():
        return read_json(own)
    known = vars(GenerationConfig())  # type: ignore[no-untyped-call]
    config = read_json(directory / "config.json")
    return {name: value for name, value in config.items() if name in known}


def overridden_settings(stated: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings of a generation config that greedy decoding ignores, as `name=value`, sorted."""
    settings = {name: value for name, value in stated.items() if name not in _HARMLESS}
    if not settings.get("do_sample"):
        settings = {name: value for name, value in settings.items() if name not in _ONLY_SAMPLING}
    return tuple(
        f"{name}={value!r}"
        for name, value in sorted(settings.items())
        if value not in (None, False, 0, 0.0, [], {}, "") and value != _NEUTRAL.get(name)
    )


def greedy(ends: Sequence[int], pad: int, cap: int) -> GenerationConfig:
    """The generation config of every response: the best token at each step, up to an end token or the cap."""
    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False,
        num_beams=1,
        max_new_tokens=cap,
        eos_token_id=list(ends),
        pad_token_id=pad,
        use_cache=True,
    )
