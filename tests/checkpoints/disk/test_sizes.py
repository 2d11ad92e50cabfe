"""What a config asks for beside what the weights hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.checkpoints.files import locate
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _edit(directory: Path, **changes: Any) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("shape", "key"), [("llama", "num_hidden_layers"), ("gemma3", "num_hidden_layers"), ("gpt2", "n_layer")]
)
@pytest.mark.parametrize("count", [7, 10**9])
def test_more_layers_than_the_weights_hold(
    copy_of: Callable[..., Path], shape: str, key: str, count: int
) -> None:
    """A number of layers that the weights cannot have is refused at once, with its key."""
    directory = copy_of(shape)
    _edit(directory, **{key: count}, layer_types=None)
    with pytest.raises(ModelError, match=rf"asks for {count:,} layers \({key}\), and the weights hold 3"):
        locate(str(directory), Settings())


@pytest.mark.parametrize(
    ("shape", "key", "tensor"),
    [
        ("llama", "vocab_size", "model.embed_tokens.weight"),
        ("llama", "intermediate_size", "model.layers.0.mlp.gate_proj.weight"),
        ("gpt2", "n_positions", "transformer.wpe.weight"),
    ],
)
def test_larger_tensors_than_the_weights_hold(
    copy_of: Callable[..., Path], shape: str, key: str, tensor: str
) -> None:
    """Any other size that makes a far larger model is refused before memory is taken for it."""
    directory = copy_of(shape)
    _edit(directory, **{key: 10**9})
    with pytest.raises(
        ModelError, match=rf"parameters, and the weights hold .*: {tensor} would be .* have it as"
    ):
        locate(str(directory), Settings())
