"""First run: quantized weights are tried on one token."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lengthprobe.checkpoints.first_run import run_once
from lengthprobe.errors import ModelError
from tests.attribution.architectures import random_model
from tests.attribution.packed_weight import pack

HOW = "torchao; run as it is"


def test_runs() -> None:
    """A model that runs is left alone."""
    model = random_model("llama")
    pack(model.model.layers[0].mlp.up_proj)
    run_once("mine", model, HOW)


def test_another_format() -> None:
    """Weights that compute in another format than the model are refused; theirs is the one to type."""
    model = random_model("llama")
    pack(model.model.layers[0].mlp.up_proj, torch.bfloat16)
    with pytest.raises(ModelError) as raised:
        run_once("mine", model, HOW)
    assert raised.value.problem.startswith(f"mine is quantized ({HOW}), and does not run in float32 on cpu: ")
    assert raised.value.fix.startswith("--lengthprobe-dtype=bfloat16, or another device")


def test_a_fault_of_the_library() -> None:
    """What a library says when its layers cannot run is told, with the checkpoint's name."""
    model = random_model("llama")

    def fail(*_: Any) -> None:
        raise NotImplementedError("no kernel for this")

    model.model.layers[0].mlp.up_proj.forward = fail
    with pytest.raises(ModelError, match=r"mine is quantized .*NotImplementedError: no kernel") as raised:
        run_once("mine", model, HOW)
    assert "name the unquantized checkpoint" in raised.value.fix


def test_out_of_memory() -> None:
    """Want of memory is no fault of the quantization."""
    model = random_model("llama")

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    model.model.layers[0].mlp.up_proj.forward = fail
    with pytest.raises(torch.OutOfMemoryError):
        run_once("mine", model, HOW)
