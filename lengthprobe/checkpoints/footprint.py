"""Footprint: the memory that the weights of a checkpoint take, told by the files, without torch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.adapters.directory import base_name
from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.disk.headers import tensors_of
from lengthprobe.checkpoints.disk.weights import read_json, weight_files
from lengthprobe.errors import LengthprobeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.settings import Settings

# The part of a device's memory for weights, key-value cache and activations; the rest is the allocator's.
USABLE_MEMORY = 0.85
# Bytes of a number, by the format's name in a safetensors header and in a config. Other formats hold
# quantized weights, and stay as they are.
_WIDE = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


def weight_memory(name: str, settings: Settings, *, on_cpu: bool) -> int | None:
    """The bytes of a checkpoint's weights once they are loaded, None where the files here do not tell.

    Args:
        name: The name of the checkpoint.
        settings: The number format and the permission for pickles count.
        on_cpu: Whether the device is a CPU, on which weights become float32 unless a format is asked for.
    """
    # Who loads the checkpoint hears what is wrong with the files.
    with suppress(LengthprobeError, OSError, ValueError, KeyError, TypeError):
        return _of_source(resolve(name), settings, on_cpu=on_cpu)
    return None


def loaded_bytes(weights: Sequence[Path], itemsize: int | None, stored_itemsize: int) -> int:
    """The bytes of some weight files once they are loaded.

    Args:
        weights: The files.
        itemsize: Bytes of a number after loading; None: as it is stored.
        stored_itemsize: Bytes of a number in files without a header.
    """
    total = 0
    for file in weights:
        if file.suffix != ".safetensors":
            total += file.stat().st_size * (itemsize or stored_itemsize) // stored_itemsize
            continue
        for tensor in tensors_of(file).values():
            is_wide = itemsize is not None and tensor.dtype in _WIDE
            total += tensor.elements * (itemsize or 0) if is_wide else tensor.end - tensor.start
    return total


def _of_source(source: Source, settings: Settings, *, on_cpu: bool) -> int | None:
    folder = source.path or _cached(source)
    if folder is None:
        return None
    if (adapted := base_name(folder)) is not None:
        # An adapter is merged into its base.
        return _of_source(resolve(adapted, near=folder), settings, on_cpu=on_cpu)
    itemsize = BYTES.get(settings.dtype, 4 if on_cpu else None)
    ggufs = [folder / source.file] if source.file else sorted(folder.glob("*.gguf"))
    if ggufs and ggufs[0].suffix == ".gguf":
        from lengthprobe.checkpoints.gguf.header import read_gguf

        # Quantized weights become bfloat16 on a GPU.
        return read_gguf(ggufs[0]).elements * (itemsize or 2)
    config = read_json(folder / "config.json")
    if settings.dtype == "auto" and _method(config) == "torchao":
        itemsize = None
    named = config.get("transformers_weights")
    weights = weight_files(folder, named=named, allow_pickle=settings.allow_pickle)
    stated = str(config.get("dtype") or config.get("torch_dtype") or "")
    return loaded_bytes(weights, itemsize, BYTES.get(stated.removeprefix("torch."), 4))


def _method(config: dict[str, Any]) -> object:
    stated = config.get("quantization_config")
    return stated.get("quant_method") if isinstance(stated, dict) else None


def _cached(source: Source) -> Path | None:
    """The folder of a hub checkpoint in the cache, None where the cache has none; nothing is downloaded."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(source.repo_id), revision=source.revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
