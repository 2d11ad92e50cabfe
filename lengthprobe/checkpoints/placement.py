"""Placement: the device and number format of a checkpoint, and the number of prompts at once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

from lengthprobe.checkpoints.footprint import USABLE_MEMORY, loaded_bytes
from lengthprobe.checkpoints.main_memory import available_memory
from lengthprobe.checkpoints.memory import is_out_of_memory
from lengthprobe.checkpoints.quantized.formats import keeps_format
from lengthprobe.errors import ModelError
from lengthprobe.settings import THOUGHT_LIMIT

if TYPE_CHECKING:
    from lengthprobe.checkpoints.files import Files
    from lengthprobe.settings import Settings

_SPREAD = ("balanced", "balanced_low_0", "sequential")
_CPU_BATCH = 100
# On a CPU: a model is small whose batch of so many prompts takes no more than that beside its weights.
_SMALL_MODELS_BATCH, _SMALL_MODELS_BYTES = 256, 1 << 32
_LARGEST_BATCH = 512
_PROMPT_TOKENS = 256
_GB = 10**9


@dataclass(frozen=True, slots=True)
class Placement:
    """The device and the number format of a checkpoint.

    Args:
        device: The device; the first device of several.
        dtype: The number format, None for the checkpoint's own.
        spread: How accelerate spreads the model over several devices, None for one device.
    """

    device: torch.device
    dtype: torch.dtype | None
    spread: str | None = None


def place(files: Files, settings: Settings) -> Placement:
    """The device and number format for a checkpoint.

    Raises:
        ModelError: The machine has no such device, the device lacks the number format, or accelerate, which
            spreads a model over several devices, is not installed.
    """
    device, spread = _device(files, settings)
    if spread and find_spec("accelerate") is None:
        raise ModelError(
            f"{files.source.name} is to be spread over several devices, and accelerate is not installed",
            "pip install accelerate, or name one device: setting:device-map=cuda:0",
        )
    if settings.dtype != "auto":
        dtype = getattr(torch, settings.dtype)
    else:
        # Weights that compute in one format alone do not run beside others.
        dtype = torch.float32 if device.type == "cpu" and not keeps_format(files.config) else None
    own = _stated_dtype(files)
    require_dtype(device, dtype or (own if isinstance(own, torch.dtype) else torch.float32))
    return Placement(device, dtype, spread)


def require_dtype(device: torch.device, dtype: torch.dtype) -> None:
    """Check that a device computes in a number format, by a small computation.

    Raises:
        ModelError: The device cannot compute in the format, or has no memory left for the trial.
    """
    try:
        square = torch.ones((1, 1, 8, 8), device=device, dtype=dtype)
        torch.nn.functional.scaled_dot_product_attention(square, square, square @ square).sum().item()
    except (RuntimeError, AssertionError, NotImplementedError, MemoryError) as error:
        if is_out_of_memory(error):
            raise _full(device) from error
        raise ModelError(
            f"device {device} cannot compute in {str(dtype).removeprefix('torch.')}: {_first_line(error)}",
            "setting:dtype=float32" if dtype != torch.float32 else "setting:device-map=cpu",
        ) from error


def refuse_too_large(files: Files, placement: Placement) -> None:
    """Check, before anything is loaded, that the weights fit beside all that this process has loaded.

    Raises:
        ModelError: The weights alone are larger than the memory.
    """
    own_size, size = _sizes(files, placement.dtype)
    needed = (
        loaded_bytes(files.weights, size if placement.dtype else None, own_size)
        if files.gguf is None
        else files.weight_bytes * size // own_size
    )
    device = placement.device
    if device.type == "cuda":
        devices = range(torch.cuda.device_count()) if placement.spread else [device.index or 0]
        free = sum(_free(index) for index in devices)
        where = f"{len(devices)} GPUs" if len(devices) > 1 else str(device)
    elif device.type == "cpu" and (available := available_memory()) is not None:
        free, where = available, "this machine"
    else:
        return
    if needed > free:
        narrower = "setting:dtype=bfloat16, " if size > torch.bfloat16.itemsize else ""
        raise ModelError(
            f"{files.source.name} does not fit: its weights take {needed / _GB:.1f} GB, and {where} has "
            f"{free / _GB:.1f} GB free",
            f"{narrower}fewer workers (-n), or other devices (setting:device-map=balanced, or =cpu)"
            if device.type == "cuda"
            else f"{narrower}fewer workers (-n), or a machine with more memory",
        )


def _free(index: int) -> int:
    """The memory of a GPU that this process has not taken; other programs are not looked at."""
    total: int = torch.cuda.get_device_properties(index).total_memory
    return total - torch.cuda.memory_allocated(index)


def choose_batch_size(files: Files, settings: Settings, placement: Placement) -> int:
    """The number of prompts in a batch: as asked, or from the memory of the device.

    The number depends on the model's shape, the settings and the device's total memory, and not on other
    programs there. So a repeated run gets the same batches.
    """
    if settings.batch_size is not None:
        return settings.batch_size
    if placement.device.type != "cuda":
        # A step of a small model costs the host's work, whatever its rows.
        is_small = _SMALL_MODELS_BATCH * _row_bytes(files, settings, placement.dtype) <= _SMALL_MODELS_BYTES
        return _SMALL_MODELS_BATCH if is_small else _CPU_BATCH
    devices = range(torch.cuda.device_count()) if placement.spread else [placement.device.index or 0]
    memory = sum(torch.cuda.get_device_properties(index).total_memory for index in devices)
    return largest_batch(files, settings, placement.dtype, memory)


def largest_batch(files: Files, settings: Settings, dtype: torch.dtype | None, memory: int) -> int:
    """The number of prompts that should fit beside the weights: a power of two, at most 512.

    Args:
        files: The checkpoint.
        settings: The token cap and the system prompt count.
        dtype: The number format, None for the checkpoint's own.
        memory: Memory of the devices in bytes.
    """
    own_size, size = _sizes(files, dtype)
    free = USABLE_MEMORY * memory - files.weight_bytes * size / own_size
    rows = int(free / _row_bytes(files, settings, dtype))
    return min(_LARGEST_BATCH, 1 << max(0, rows.bit_length() - 1)) if rows > 0 else 1


def _row_bytes(files: Files, settings: Settings, dtype: torch.dtype | None) -> int:
    """The memory for a prompt of a batch beside the weights, in bytes."""
    shape = files.config.get_text_config()
    _, size = _sizes(files, dtype)
    heads = shape.num_attention_heads
    key_value_heads = getattr(shape, "num_key_value_heads", None) or heads
    head_width = getattr(shape, "head_dim", None) or shape.hidden_size // heads
    inner = getattr(shape, "intermediate_size", None) or 4 * shape.hidden_size
    thought = THOUGHT_LIMIT if settings.thinking == "allow" else 0
    tokens = _PROMPT_TOKENS + len(settings.system_prompt or "") // 2 + settings.cap + thought
    cache = 2 * shape.num_hidden_layers * key_value_heads * head_width * size * tokens
    # The prompt passes a layer at once: about eight vectors of model width and three of MLP width a token.
    activations = tokens * (8 * shape.hidden_size + 3 * inner) * size
    # Logits are copied to float32, and the copy is looked at.
    logits = 3 * 4 * shape.vocab_size
    return int(cache + activations + logits)


def _sizes(files: Files, dtype: torch.dtype | None) -> tuple[int, int]:
    """Bytes of a number in the files, and of a loaded number in a format; None for the files' own format."""
    own = _stated_dtype(files)
    own_size = own.itemsize if isinstance(own, torch.dtype) else 4
    return own_size, dtype.itemsize if dtype else own_size


def _stated_dtype(files: Files) -> object:
    """The number format in a config, of the whole model or of the text model."""
    return getattr(files.config, "dtype", None) or getattr(files.config.get_text_config(), "dtype", None)


def _device(files: Files, settings: Settings) -> tuple[torch.device, str | None]:
    device_map = settings.device_map
    if device_map == "auto" and not torch.cuda.is_available():
        return torch.device("cpu"), None
    if device_map == "auto":
        count = torch.cuda.device_count()
        # One device is faster than several wherever the model fits, beside the checkpoints that are there.
        for index in range(count):
            total = torch.cuda.get_device_properties(index).total_memory
            if files.weight_bytes < USABLE_MEMORY * total - torch.cuda.memory_allocated(index):
                return torch.device("cuda", index), None
        return torch.device("cuda", 0), None if count == 1 else "auto"
    if device_map in _SPREAD:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu", 0), device_map
    try:
        device = torch.device(device_map)
        torch.ones(1, device=device).sum().item()
    # torch says "no such device" by RuntimeError, AssertionError or ImportError, by the kind of device.
    except Exception as error:
        if is_out_of_memory(error):
            raise _full(device_map) from error
        raise ModelError(
            f"device {device_map!r} is not to be had on this machine: {_first_line(error)}",
            "setting:device-map=auto (an accelerator where there is one) or =cpu",
        ) from error
    return device, None


def _full(device: torch.device | str) -> ModelError:
    return ModelError(
        f"device {device} is out of memory before anything is loaded: something else fills it",
        "free it (nvidia-smi shows what runs on a GPU), or name another device: setting:device-map=cpu",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
