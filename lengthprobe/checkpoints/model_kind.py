"""The kind of model that a config describes: a causal language model, or something to refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.config_fields import SENSES, check_fields, config_error
from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.checkpoints.text_alone import SEEING, sees
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PretrainedConfig

    from lengthprobe.settings import Settings

_LENGTHPROBE_RUNS = "lengthprobe runs decoder-only language models: name one"
# Whichever way it is spelled in the file, transformers keeps it under these names.
_KERNELS = ("_attn_implementation_internal", "_experts_implementation_internal")


def causal_config(directory: Path, settings: Settings) -> PretrainedConfig:
    """The config of a causal language model.

    Raises:
        ModelError: There is no config, the config wants to run the checkpoint's own code, or transformers
            does not know the config. Or the model is of another kind: encoder-only, encoder-decoder, a
            classifier, or a model with vision or hearing that is not judged with text alone.
    """
    path = directory / "config.json"
    if not path.is_file():
        raise ModelError(
            f"{directory} holds no config.json, so it is no checkpoint",
            "point at the directory that save_pretrained wrote",
        )
    stated = read_json(path)
    _refuse_remote_code(directory, stated, settings)
    own_code = settings.allow_remote_code and bool(stated.get("auto_map"))
    if not own_code:
        check_fields(path, stated)

    from transformers import AutoConfig

    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(
            directory, trust_remote_code=settings.allow_remote_code, local_files_only=True
        )
    # Every architecture checks its own fields, with exceptions of its own choice.
    except Exception as error:
        if own_code:
            raise ModelError(
                f"{path} cannot be used: {type(error).__name__}: {reason(error)}",
                "look for the fault in the code that auto_map names, or restore config.json from its source",
            ) from error
        raise config_error(path, stated, error) from error
    _refuse_other_kinds(directory, stated, config, own_code=own_code)
    _choose_kernels(config)
    return config


def _choose_kernels(config: PretrainedConfig) -> None:
    """Let transformers choose the kernels of a model, whatever config.json names.

    A config may name code on the hub (`kernels-community/…`), which would be fetched and run, or a library
    that is not installed. Every kernel computes the same model, and the report names the kernel in use.
    """
    from transformers import PretrainedConfig

    for name in _KERNELS:
        if hasattr(config, name):
            setattr(config, name, None)
    for part in list(vars(config).values()):
        if isinstance(part, PretrainedConfig):
            _choose_kernels(part)


def _refuse_remote_code(directory: Path, config: dict[str, Any], settings: Settings) -> None:
    if settings.allow_remote_code:
        return
    for name in ("config.json", "tokenizer_config.json"):
        path = directory / name
        if path.is_file() and (config if name == "config.json" else read_json(path)).get("auto_map"):
            raise ModelError(
                f"{path} wants to run Python code that comes with the checkpoint (auto_map)",
                "remove auto_map if transformers knows the architecture itself; or, if you trust the author: "
                "setting:allow-remote-code",
            )


def _refuse_other_kinds(
    directory: Path, stated: dict[str, Any], config: PretrainedConfig, *, own_code: bool
) -> None:
    from transformers.models.auto import modeling_auto

    stated_names = stated.get("architectures")
    names = stated_names if isinstance(stated_names, list) else []
    what = names[0] if names else config.model_type
    if config.is_encoder_decoder:
        raise ModelError(f"{directory} is an encoder-decoder model ({what})", _LENGTHPROBE_RUNS)
    causal = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    sense = _sense(stated, config, causal.get(config.model_type))
    if sense == "vision_config" and stated.get(sense, True) not in ({}, None) and sees(config):
        return
    if sense is not None:
        empty = stated.get(sense, True) in ({}, None)
        raise ModelError(
            f"{directory} is a vision-language or audio model ({what}, with a {sense})",
            f"{_LENGTHPROBE_RUNS} (of those that see, with text alone: {', '.join(SEEING)}), or save this "
            "one's language model by itself"
            + (f"; if it is one already, remove {sense} from config.json" if empty else ""),
        )
    if own_code:
        return
    encoders = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if config.model_type in encoders and not getattr(config, "is_decoder", False):
        raise ModelError(f"{directory} is an encoder-only model ({what})", _LENGTHPROBE_RUNS)
    writes = names[0] in set(causal.values()) if names else config.model_type in causal
    if not writes:
        raise ModelError(f"{directory} is no causal language model ({what})", _LENGTHPROBE_RUNS)


def _sense(stated: dict[str, Any], config: PretrainedConfig, built: str | None) -> str | None:
    """The part of a config for vision or hearing, or None.

    An empty part stands for the default part. For some architectures a missing part does, too.

    Args:
        stated: The content of config.json.
        config: The config, as transformers reads config.json.
        built: The class of the model in transformers, None where transformers knows none.
    """
    for key in SENSES:
        if stated.get(key) is not None:
            return key
        by_default = built is not None and built.endswith("ForConditionalGeneration")
        if by_default and getattr(config, key, None) is not None:
            return key
    return None
