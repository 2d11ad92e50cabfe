"""First run: quantized weights are tried on one token, when they are loaded."""

from __future__ import annotations

from typing import Any

import torch

from lengthprobe.checkpoints.memory import is_out_of_memory
from lengthprobe.errors import ModelError, reason


@torch.no_grad()
def run_once(name: str, model: Any, quantized: str) -> None:
    """Run a quantized model on one token.

    compressed-tensors unpacks the weights in the first run, and no layer has readable weights before. Other
    libraries, too, refuse a device or a number format only in the first run.

    Args:
        name: The checkpoint.
        model: The model that transformers loaded.
        quantized: How its weights are quantized, in few words.

    Raises:
        ModelError: The model does not run.
    """
    embedding = model.get_input_embeddings().weight
    try:
        model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=embedding.device), use_cache=False)
    # A library's own code runs here.
    except Exception as error:
        # What is told of memory is told where the model is loaded.
        if is_out_of_memory(error):
            raise
        dtype, own = str(model.dtype).removeprefix("torch."), _own_format(model)
        raise ModelError(
            f"{name} is quantized ({quantized}), and does not run in {dtype} on {embedding.device}: "
            f"{type(error).__name__}: {reason(error)}",
            f"setting:dtype={own}, or another device (setting:device-map)"
            if own not in ("", dtype)
            else "another format (setting:dtype) or device (setting:device-map); or name the "
            "unquantized checkpoint",
        ) from error


def _own_format(model: Any) -> str:
    """The format in which quantized weights compute; empty where no weight says."""
    formats = {
        str(weight.dtype).removeprefix("torch.")
        for weight in model.parameters()
        if hasattr(weight, "__tensor_flatten__")
    }
    return formats.pop() if len(formats) == 1 else ""
