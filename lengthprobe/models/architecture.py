"""What a checkpoint's config says that it is: a causal language model, or something to refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError
from lengthprobe.models.weights import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PretrainedConfig

    from lengthprobe.settings import Settings

_LENGTHPROBE_RUNS = "lengthprobe runs decoder-only language models: name one"
_SENSES = ("vision_config", "audio_config", "video_config", "speech_config")


def causal_config(directory: Path, settings: Settings) -> PretrainedConfig:
    """The config of a causal language model.

    Raises:
        ModelError: There is no config, it wants to run code of its own, transformers does not know it, or it
            is of another kind: encoder-only, encoder-decoder, vision-language, a classifier.
    """
    path = directory / "config.json"
    if not path.is_file():
        raise ModelError(
            f"{directory} holds no config.json, so it is no checkpoint",
            "point at the directory that save_pretrained wrote",
        )
    stated = read_json(path)
    _refuse_remote_code(directory, stated, settings)

    from transformers import AutoConfig

    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(
            directory, trust_remote_code=settings.allow_remote_code, local_files_only=True
        )
    # Every architecture checks its own fields, with exceptions of its own choice.
    except Exception as error:
        raise ModelError(
            f"{path} cannot be used: {error}",
            f"check it (model_type {stated.get('model_type')!r}); a newer architecture needs: "
            "pip install --upgrade transformers",
        ) from error
    _refuse_other_kinds(directory, stated, config, settings)
    return config


def _refuse_remote_code(directory: Path, config: dict[str, Any], settings: Settings) -> None:
    if settings.allow_remote_code:
        return
    for name in ("config.json", "tokenizer_config.json"):
        path = directory / name
        if path.is_file() and (config if name == "config.json" else read_json(path)).get("auto_map"):
            raise ModelError(
                f"{path} wants to run Python code that comes with the checkpoint (auto_map)",
                "remove auto_map if transformers knows the architecture itself; or, if you trust the author: "
                "--lengthprobe-allow-remote-code",
            )


def _refuse_other_kinds(
    directory: Path, stated: dict[str, Any], config: PretrainedConfig, settings: Settings
) -> None:
    from transformers.models.auto import modeling_auto

    names = stated.get("architectures") or []
    what = names[0] if names else config.model_type
    if config.is_encoder_decoder:
        raise ModelError(f"{directory} is an encoder-decoder model ({what})", _LENGTHPROBE_RUNS)
    if any(stated.get(key) for key in _SENSES):
        raise ModelError(
            f"{directory} is a vision-language or audio model ({what})",
            f"{_LENGTHPROBE_RUNS}, or save this one's language model by itself",
        )
    if settings.allow_remote_code and stated.get("auto_map"):
        return
    causal = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    encoders = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if config.model_type in encoders and not getattr(config, "is_decoder", False):
        raise ModelError(f"{directory} is an encoder-only model ({what})", _LENGTHPROBE_RUNS)
    writes = names[0] in set(causal.values()) if names else config.model_type in causal
    if not writes:
        raise ModelError(f"{directory} is no causal language model ({what})", _LENGTHPROBE_RUNS)
