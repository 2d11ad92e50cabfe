"""The config of a GGUF file: read from the header by transformers, and then completed."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.gguf.files import ALONE
from lengthprobe.checkpoints.gguf.header import ANOTHER
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from lengthprobe.checkpoints.gguf.header import Gguf

_VOCABULARY = "tokenizer.ggml.tokens"
# Arrays with an entry a token. transformers reads each entry by itself, twice, and needs none for a config.
_LONG = (_VOCABULARY, *(f"tokenizer.ggml.{name}" for name in ("scores", "token_type", "merges")))
# What llama.cpp multiplies by in some architectures, and transformers would pass over.
_SCALES = ("logit_scale", "embedding_scale", "residual_scale", "attention.scale", "attention.clamp_kqv")
# A limit that the logits of attention, or of tokens, are pressed under. Not every class has one.
_CAPS = ("attn_logit_softcapping", "final_logit_softcapping")
# The layers of the one size of each Gemma that scales attention by another width than a head's.
_GEMMA_27B = {"gemma2": 46, "gemma3": 62}
_U32 = 4


def gguf_config(gguf: Gguf) -> PretrainedConfig:
    """The config of the causal language model in a GGUF file, with a `dtype`.

    A GGUF file names no dtype. A quantized file gets bfloat16, any other file the format of its weights.

    Raises:
        ModelError: transformers cannot read this architecture from a GGUF file, or leaves out a setting of
            the file; or the model is no causal language model.
    """
    import torch
    from transformers import AutoConfig
    from transformers.models.auto import modeling_auto

    path = gguf.path
    if not gguf.architecture:
        raise ModelError(f"{path} names no architecture (general.architecture)", ANOTHER)
    with tempfile.TemporaryDirectory(prefix="lengthprobe-") as folder:
        _write_skeleton(gguf, Path(folder) / ALONE)
        try:
            config: PretrainedConfig = AutoConfig.from_pretrained(
                folder, gguf_file=ALONE, local_files_only=True
            )
        # Every architecture checks its own fields, with exceptions of its own choice.
        except Exception as error:
            raise _unusable(gguf, error) from error
    causal = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    encoders = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if config.is_encoder_decoder or config.model_type not in causal or config.model_type in encoders:
        raise ModelError(
            f"{path} is no causal language model (architecture {gguf.architecture})",
            "lengthprobe runs decoder-only language models: name one",
        )
    # It is a name that the author chose, and no path.
    config.name_or_path = ""
    _refuse_scales(gguf)
    _take_head_width(gguf, config)
    _take_attention_scale(gguf, config)
    _take_caps(gguf, config)
    _take_rope_scaling(gguf, config)
    config.dtype = torch.bfloat16 if gguf.is_quantized or "BF16" in gguf.kinds else _plain_dtype(gguf)
    return config


def _plain_dtype(gguf: Gguf) -> Any:
    import torch

    # Norms are F32 in every file.
    return torch.float16 if "F16" in gguf.kinds else torch.float32


def _write_skeleton(gguf: Gguf, path: Path) -> None:
    """Write a file with the header of another, without its vocabulary, and with a hole for its tensors.

    To read a vocabulary of 50,000 tokens as transformers does takes seconds, and nothing of a config hangs on
    more than the number of them.
    """
    kept = {key: span for key, span in gguf.spans.items() if key not in _LONG}
    size = f"{gguf.architecture}.vocab_size"
    tokens = gguf.metadata.get(_VOCABULARY)
    added = b""
    if size not in kept and isinstance(tokens, list):
        added = struct.pack("<Q", len(size)) + size.encode() + struct.pack("<II", _U32, len(tokens))
    with gguf.path.open("rb") as whole, path.open("wb") as skeleton:
        start = whole.read(8)
        count = len(kept) + bool(added)
        skeleton.write(start + struct.pack("<QQ", len(gguf.tensors), count))
        for first, last in (*kept.values(), gguf.table):
            if (first, last) == gguf.table:
                skeleton.write(added)
            whole.seek(first)
            skeleton.write(whole.read(last - first))
        # The reader maps every tensor where it would be, and a hole takes no room.
        skeleton.truncate(gguf.path.stat().st_size)


def _unusable(gguf: Gguf, error: Exception) -> ModelError:
    said = reason(error)
    if "not supported" in said or "Unknown gguf" in said or isinstance(error, NotImplementedError):
        return ModelError(
            f"{gguf.path} holds a model of the architecture {gguf.architecture!r}, which the installed "
            "transformers cannot read from a GGUF file",
            f"{ANOTHER}; or, for a new one: pip install --upgrade transformers",
        )
    return ModelError(
        f"transformers makes no config of the header of {gguf.path}: {type(error).__name__}: {said}", ANOTHER
    )


def _refuse_scales(gguf: Gguf) -> None:
    for name in _SCALES:
        value = gguf.stated(name)
        if value is not None and value not in (0, 1):
            raise ModelError(
                f"{gguf.path} says {gguf.architecture}.{name} = {value}, which transformers leaves out",
                ANOTHER,
            )


def _take_head_width(gguf: Gguf, config: PretrainedConfig) -> None:
    """Set the width of a head, which transformers takes from the file in some architectures only."""
    width = gguf.stated("attention.key_length")
    # Gemma 4 has two widths.
    if isinstance(width, int) and hasattr(config, "head_dim") and not hasattr(config, "global_head_dim"):
        config.head_dim = width


def _take_attention_scale(gguf: Gguf, config: PretrainedConfig) -> None:
    """Set by which width a Gemma scales its attention, for which a GGUF has no key.

    llama.cpp tells the width by the number of layers: at 27B the width of the model over the number of heads,
    in every other size the width of a head. transformers leaves the default of the class.
    """
    if gguf.architecture not in _GEMMA_27B or not hasattr(config, "query_pre_attn_scalar"):
        return
    sized: Any = config
    if sized.num_hidden_layers == _GEMMA_27B[gguf.architecture]:
        sized.query_pre_attn_scalar = sized.hidden_size // sized.num_attention_heads
    else:
        sized.query_pre_attn_scalar = sized.head_dim


def _take_caps(gguf: Gguf, config: PretrainedConfig) -> None:
    """Set the file's limits of logits, for which transformers takes the default of the class.

    Raises:
        ModelError: The class knows no limit of this name, or the file states no number.
    """
    for name in _CAPS:
        stated = gguf.stated(name)
        # As llama.cpp writes that there is none.
        if stated is None or (stated == 0 and getattr(config, name, None) is None):
            continue
        if not isinstance(stated, (int, float)) or stated <= 0 or not hasattr(config, name):
            raise ModelError(
                f"{gguf.path} says {gguf.architecture}.{name} = {stated}, which transformers leaves out",
                ANOTHER,
            )
        setattr(config, name, float(stated))


def _take_rope_scaling(gguf: Gguf, config: PretrainedConfig) -> None:
    """Set how positions are scaled, which transformers leaves out.

    Raises:
        ModelError: Positions are scaled in a way for which the header has no full description.
    """
    kind, factor = gguf.stated("rope.scaling.type"), gguf.stated("rope.scaling.factor")
    if kind is None and gguf.stated("rope.scale_linear") is not None:
        kind, factor = "linear", gguf.stated("rope.scale_linear")
    stated: Any = getattr(config, "rope_parameters", None)
    if kind in (None, "none") or (kind == "linear" and factor in (None, 0, 1)):
        if any(tensor.name.startswith("rope_factors_") for tensor in gguf.tensors):
            kind = "longrope"
        else:
            return
    # Gemma 3 scales the positions of its global layers alone.
    own = stated.get("full_attention", stated) if isinstance(stated, dict) else None
    if own is not None and own.get("rope_type", "default") != "default":
        return
    if own is None or kind not in ("linear", "yarn") or not isinstance(factor, (int, float)):
        raise ModelError(
            f"{gguf.path} scales its positions ({gguf.architecture}.rope.scaling: {kind}), and transformers "
            "leaves that out",
            ANOTHER,
        )
    own.update(rope_type=kind, factor=float(factor))
    if kind == "yarn" and (original := gguf.stated("rope.scaling.original_context_length")):
        own["original_max_position_embeddings"] = int(original)
