"""The weights of a GGUF file: dequantized into a model, and compared with the file."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.checkpoints.disk.load_report import first_names, unfitting_tensors
from lengthprobe.checkpoints.gguf.files import ALONE, lone_gguf_folder
from lengthprobe.checkpoints.gguf.header import ANOTHER
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PretrainedConfig

    from lengthprobe.checkpoints.gguf.header import Gguf, Tensor

_FREQUENCIES = "rope_freqs.weight"
# Those that transformers reads into other shapes, and whose keys it then checks itself.
_RESHAPED = ("_exps.", "_shexp.", "ssm_", "shortconv.", "exp_probs_b", "nextn.", "attn_qkv.")
# What llama.cpp calls an architecture, and gguf a list of names.
_NAMES = {"gpt_oss": "gpt-oss"}
_ONE_ADDED = ("gemma", "gemma2", "gemma3", "nemotron")


def load_dequantized(gguf: Gguf, config: PretrainedConfig, dtype: torch.dtype | None, whole: Any) -> Any:
    """The model of a GGUF file, with dequantized weights.

    Args:
        gguf: The file.
        config: The file's config.
        dtype: The number format, None for the config's.
        whole: The device map, as transformers takes it.

    Raises:
        ModelError: The file lacks weights, transformers leaves out weights of the file, or a parameter has
            other values than the file.
    """
    import transformers
    from transformers import GenerationConfig
    from transformers.utils.quantization_config import GgufConfig

    loader: Any = transformers.AutoModelForCausalLM
    # The kernels for packed blocks have no weights that can be attributed to.
    quantization: Any = GgufConfig(dequantize=True)
    with lone_gguf_folder(gguf.path) as folder:
        model, report = loader.from_pretrained(
            folder,
            gguf_file=ALONE,
            config=copy.deepcopy(config),
            dtype=dtype or config.dtype,
            device_map=whole,
            quantization_config=quantization,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            local_files_only=True,
            generation_config=GenerationConfig(),  # type: ignore[no-untyped-call]
        )
    _check_complete(gguf, report)
    _take_frequencies(gguf, model)
    _check_rotary(gguf, model)
    check_values(gguf, model)
    # Nothing of it is quantized any more.
    for part in (model.config, model.config.get_text_config()):
        vars(part).pop("quantization_config", None)
    model.config.name_or_path = ""
    return model


def _check_complete(gguf: Gguf, report: Mapping[str, Any]) -> None:
    if unfitting := unfitting_tensors(report):
        kind, names = unfitting
        what = {
            "missing_keys": "lacks",
            "mismatched_keys": "has another shape than its header says for",
            "unexpected_keys": "holds what its header knows nothing of:",
        }[kind]
        raise ModelError(
            f"{gguf.path} is not whole, or transformers does not read all of it: it {what} {names}",
            ANOTHER,
        )


def check_values(gguf: Gguf, model: Any) -> None:
    """Check that each tensor of a file is in the model, with the values dequantized by gguf.

    A few rows of each tensor are compared: the first two, the last two and the row in the middle. llama.cpp
    stores the rows of queries and keys of a Llama in another order, and the norms of a Gemma with 1 added.

    Raises:
        ModelError: A tensor is in no part of the model, or a parameter has other values.
    """
    parameters = _by_gguf_name(gguf, model)
    unread = [
        stored.name
        for stored in gguf.tensors
        if stored.name not in parameters
        and stored.name != _FREQUENCIES
        and not any(part in stored.name for part in _RESHAPED)
    ]
    if unread and parameters:
        raise ModelError(f"transformers leaves out what {gguf.path} holds: {first_names(unread)}", ANOTHER)
    with gguf.path.open("rb") as opened:
        for tensor in gguf.tensors:
            parameter = parameters.get(tensor.name)
            if parameter is not None and not parameter.is_meta and len(tensor.shape) <= 2:
                _compare(gguf, tensor, opened, parameter)


def _compare(gguf: Gguf, tensor: Tensor, opened: Any, parameter: torch.Tensor) -> None:
    there: torch.Tensor = parameter.data
    if tuple(there.shape) != tensor.shape:
        # A convolution of GPT-2 is a matrix lying on its side.
        if tuple(there.shape) != tensor.shape[::-1]:
            return
        there = there.T
    rows = tensor.shape[0] if len(tensor.shape) == 2 else 1
    for row in sorted({0, 1 % rows, rows // 2, (rows - 2) % rows, rows - 1}):
        here = _row(tensor, opened, row)
        place = _place(gguf, tensor, row)
        loaded = there[place] if len(tensor.shape) == 2 else there[_order(gguf, tensor)]
        if tensor.name.endswith("norm.weight") and gguf.architecture in _ONE_ADDED:
            here = here - 1
        here = here.to(there.dtype)
        loaded = loaded.cpu()
        if not ((here == loaded) | ((here != here) & (loaded != loaded))).all():
            raise ModelError(f"the loaded model has other values for {tensor.name} than {gguf.path}", ANOTHER)


def _row(tensor: Tensor, opened: Any, row: int) -> torch.Tensor:
    """A row of a tensor, dequantized by gguf; the whole tensor where it has one dimension."""
    import numpy as np
    from gguf import GGMLQuantizationType, dequantize

    size = tensor.size // (tensor.shape[0] if len(tensor.shape) == 2 else 1)
    opened.seek(tensor.start + row * size)
    packed = np.frombuffer(opened.read(size), dtype=np.uint8)
    kind = GGMLQuantizationType[tensor.kind]
    plain = {"F32": np.float32, "F16": np.float16, "F64": np.float64}.get(tensor.kind)
    if plain is not None:
        return torch.from_numpy(packed.view(plain).astype(np.float32))
    return torch.from_numpy(np.array(dequantize(packed, kind), dtype=np.float32).reshape(-1))


def _place(gguf: Gguf, tensor: Tensor, row: int) -> int:
    """The row of a parameter in which a row of the file is."""
    heads = _heads(gguf, tensor)
    if heads is None:
        return row
    # Within a head the file has the two halves of its rotation in turn, and transformers one after the other.
    width = tensor.shape[0] // heads
    head, offset = divmod(row, width)
    return head * width + (offset % 2) * (width // 2) + offset // 2


def _order(gguf: Gguf, tensor: Tensor) -> Any:
    """The places of the values of a tensor with one dimension."""
    return [_place(gguf, tensor, row) for row in range(tensor.shape[0])]


def _heads(gguf: Gguf, tensor: Tensor) -> int | None:
    """The number of heads with rows in another order in the file than in transformers; None without any."""
    if gguf.architecture != "llama":
        return None
    if ".attn_q." in tensor.name:
        return int(gguf.stated("attention.head_count"))
    if ".attn_k." in tensor.name:
        return int(gguf.stated("attention.head_count_kv") or gguf.stated("attention.head_count"))
    return None


def _by_gguf_name(gguf: Gguf, model: Any) -> dict[str, torch.Tensor]:
    """The parameters of a model by the names of llama.cpp; none where gguf does not know the architecture."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    named = _NAMES.get(gguf.architecture, gguf.architecture)
    architectures = [key for key, name in MODEL_ARCH_NAMES.items() if name == named]
    if not architectures:
        return {}
    names = get_tensor_name_map(architectures[0], int(gguf.stated("block_count") or 0))
    stated: dict[str, torch.Tensor] = {}
    for name, parameter in model.state_dict(keep_vars=True).items():
        stem, dot, suffix = name.rpartition(".")
        split = dot and suffix in ("weight", "bias")
        mapped = names.get_name(stem if split else name)
        if mapped is not None:
            stated.setdefault(f"{mapped}.{suffix}" if split else mapped, parameter)
    return stated


def _take_frequencies(gguf: Gguf, model: Any) -> None:
    """Slow the rotations down by the file's factors: how llama.cpp stores the positions of Llama 3.1.

    Raises:
        ModelError: The model has no rotations of this number.
    """
    factors = next((tensor for tensor in gguf.tensors if tensor.name == _FREQUENCIES), None)
    if factors is None:
        return
    with gguf.path.open("rb") as opened:
        divisors = _row(factors, opened, 0)
    rotary = getattr(model.base_model, "rotary_emb", None)
    turning: Any = getattr(rotary, "inv_freq", None)
    if turning is None or tuple(turning.shape) != tuple(divisors.shape):
        raise ModelError(
            f"{gguf.path} slows the rotations of positions down ({_FREQUENCIES}), and transformers leaves "
            "that out",
            ANOTHER,
        )
    turning /= divisors.to(turning.device)
    original = getattr(rotary, "original_inv_freq", None)
    if original is not None and original is not turning:
        original.copy_(turning)


def _check_rotary(gguf: Gguf, model: Any) -> None:
    """Check that a model rotates as many dimensions of a head as its file says.

    Raises:
        ModelError: The model rotates another number.
    """
    turning = getattr(getattr(model.base_model, "rotary_emb", None), "inv_freq", None)
    stated = gguf.stated("rope.dimension_count")
    if turning is not None and isinstance(stated, int) and 2 * turning.shape[0] != stated:
        raise ModelError(
            f"{gguf.path} turns {stated} dimensions of each head by position, and transformers "
            f"{2 * turning.shape[0]}",
            ANOTHER,
        )
