"""Where each architecture keeps its components."""

from __future__ import annotations

import pytest
import torch

from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.architectures import ARCHITECTURES
from lengthprobe.components.layers import early_layers, late_layers
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, WIDTH, architecture, random_model


@pytest.mark.parametrize("variant", VARIANTS)
def test_anatomy(variant: str) -> None:
    """Layers, query heads, their width and the stream's are those of the config."""
    model = random_model(variant)
    anatomy = anatomy_of(model)
    assert anatomy.architecture == architecture(variant)
    assert (anatomy.n_layers, anatomy.n_heads, anatomy.width) == (LAYERS, HEADS, WIDTH)
    stated = getattr(model.config, "head_dim", None)
    assert anatomy.head_dim == (stated or WIDTH // HEADS)
    assert anatomy.layers[0].output_weight(torch.float32).shape == (WIDTH, HEADS * anatomy.head_dim)
    assert (anatomy.layers[0].attention_norm is None) == (
        ARCHITECTURES[architecture(variant)].attention_norm is None
    )


@pytest.mark.parametrize("variant", ["llama", "llama-tied", "gpt2"])
def test_unembedding(variant: str) -> None:
    """The unembedding is the model's own, tied to the embedding or not; nothing is copied."""
    model = random_model(variant)
    weight = anatomy_of(model).unembedding.weight
    assert weight is model.lm_head.weight
    assert (weight is model.get_input_embeddings().weight) == (variant != "llama")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_precision(dtype: torch.dtype) -> None:
    """Attribution is computed in float32, and in float64 for a float64 model."""
    anatomy = anatomy_of(random_model("llama", dtype=dtype))
    assert anatomy.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)


@pytest.mark.parametrize(
    ("n_layers", "early", "late"),
    # ⌊L/4⌋, at least one, and ⌈L/4⌉.
    [(1, [0], [0]), (2, [0], [1]), (3, [0], [2]), (5, [0], [3, 4]), (16, [0, 1, 2, 3], [12, 13, 14, 15])],
)
def test_early_and_late_layers(n_layers: int, early: list[int], late: list[int]) -> None:
    """Late is the last quarter rounded up, early the first quarter rounded down."""
    assert list(early_layers(n_layers)) == early
    assert list(late_layers(n_layers)) == late


def test_late_layers_of_the_paper() -> None:
    """Of 32 layers 24 to 31 are late (METHODS §3)."""
    assert list(late_layers(32)) == list(range(24, 32))
