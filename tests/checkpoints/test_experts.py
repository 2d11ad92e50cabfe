"""Checkpoints that are mixtures of experts: a layer's whole block is its MLP."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import torch

from lengthprobe import load
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.measures import cwa, length_error
from lengthprobe.settings import Settings
from tests.attribution.architectures import EXPERTS as VARIANTS
from tests.attribution.architectures import random_model
from tests.conftest import EXPERTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")


@pytest.mark.parametrize("variant", VARIANTS)
def test_loaded_as_saved(variant: str, checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """Experts are saved one by one and loaded into one tensor, with every value that was saved."""
    model = random_model(variant)
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoints("llama") / name, tmp_path)
    loaded = load_checkpoint(str(tmp_path), CPU)
    found = dict(loaded.model.named_parameters())
    assert all(torch.equal(one, found[name]) for name, one in model.named_parameters())


@pytest.mark.parametrize("shape", EXPERTS)
def test_probe(shape: str, checkpoints: Callable[..., Path]) -> None:
    """It answers, its components add up to the logits, and heads and whole blocks of experts can be cut."""
    probe = load(str(checkpoints(shape)), device_map="cpu", cap=60, lengths=(3, 5), budget=12)
    assert length_error(probe, language="en").n == 12
    # A random model has no control, which of a base is not presupposed.
    assert cwa(probe.in_role("base"), component="late heads", language="en").n > 0
    parts = probe.proof
    assert (parts.architecture, parts.n_layers, parts.n_heads) == (shape, 3, 4)
    assert parts.gap < 1e-5
    own = [one.token_ids for one in probe.responses("en")]
    for cut in ("L1H2", "MLP1"):
        with probe.ablated(cut) as without:
            assert [one.token_ids for one in without.responses("en")] != own
