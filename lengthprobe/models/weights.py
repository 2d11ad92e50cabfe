"""The weight files of a checkpoint, checked before anything is loaded from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_NO_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state*.pth")


def weight_files(directory: Path, *, stem: str = "model", allow_pickle: bool = False) -> tuple[Path, ...]:
    """The files that hold a checkpoint's weights, in name order; safetensors where there are any.

    Args:
        directory: The checkpoint.
        stem: `model`, or `adapter_model` for an adapter.
        allow_pickle: Take pickled weights where there are no others.

    Raises:
        ModelError: There are none, one that the index names is missing, one is cut short or corrupt, or they
            are pickled and that was not allowed.
    """
    files = _indexed(directory / f"{stem}.safetensors.index.json")
    single = directory / f"{stem}.safetensors"
    if not files and single.is_file():
        files = (single,)
    if files:
        for file in files:
            check_safetensors(file)
        return files
    pickles = tuple(
        path
        for pattern in _PICKLES
        for path in sorted(directory.glob(pattern))
        if not any(path.match(other) for other in _NO_WEIGHTS)
    )
    if not pickles:
        others = sorted(path.name for path in directory.glob("*.safetensors"))
        found = f"; {', '.join(others)} is not named by an index" if others else ""
        raise ModelError(
            f"{directory} holds no weights: no {stem}.safetensors{found}",
            "copy the weights there, or point at the directory that holds them "
            "(weights pickled on the hub are fetched with --lengthprobe-allow-pickle)",
        )
    if not allow_pickle:
        raise ModelError(
            f"{directory} holds pickled weights only ({pickles[0].name}), which can run any code when loaded",
            "convert them with save_pretrained (it writes safetensors), or, if you trust their author: "
            "--lengthprobe-allow-pickle",
        )
    return pickles


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file of a checkpoint holds.

    Raises:
        ModelError: The file cannot be read, or holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", f"restore {path.name} from its source") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no JSON object", f"restore {path.name} from its source")
    return content


def check_safetensors(file: Path) -> None:
    """Check that a safetensors file is whole: a header that can be read, and as many bytes as it says.

    Raises:
        ModelError: It is not.
    """
    from safetensors import SafetensorError, safe_open

    fix = f"copy or download {file.name} again"
    try:
        with file.open("rb") as opened:
            if opened.read(24) == b"version https://git-lfs.":
                raise ModelError(f"{file} is a git-lfs pointer, not the weights", "git lfs pull")
        with safe_open(str(file), framework="np") as tensors:
            count = len(tensors.keys())
    except (OSError, SafetensorError) as error:
        size = f"{file.stat().st_size:,} bytes" if file.is_file() else "missing"
        raise ModelError(f"{file} ({size}) is cut short or corrupt: {error}", fix) from error
    if not count:
        raise ModelError(f"{file} holds no tensor", fix)


def _indexed(index: Path) -> tuple[Path, ...]:
    if not index.is_file():
        return ()
    names = read_json(index).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise ModelError(f"{index} names no weights", f"restore {index.name} from its source")
    files = tuple(index.parent / str(name) for name in sorted(set(names.values())))
    for file in files:
        if not file.is_file():
            raise ModelError(
                f"{file.name}, which {index.name} names, is missing from {index.parent}",
                f"copy or download {file.name} again",
            )
    return files
