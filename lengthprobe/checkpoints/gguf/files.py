"""Which file is meant, where a checkpoint's folder or its repository holds GGUF files."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.disk.hub import files_on_hub, gguf_snapshot
from lengthprobe.checkpoints.disk.load_report import first_names
from lengthprobe.checkpoints.disk.weights import is_weight_file
from lengthprobe.checkpoints.gguf.names import model_files
from lengthprobe.errors import ModelError
from lengthprobe.nearest import nearest_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.checkpoints.gguf.header import Gguf

# The name that transformers gets to read: a folder of others' files tells it other things too.
ALONE = "model.gguf"
_OTHER_WEIGHTS = (
    "model*.safetensors",
    "model*.safetensors.index.json",
    "adapter_model*",
    "pytorch_model*.bin",
)
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
# What general.type says of a file that is a part of a model only.
_KINDS = {
    "adapter": "an adapter",
    "mmproj": "the eyes of a model (mmproj)",
    "imatrix": "an importance matrix",
}
_SHOWN = 8


def gguf_of(source: Source, directory: Path) -> Path | None:
    """The GGUF file that a name means, None where the name means other weights.

    Args:
        source: The name.
        directory: The folder, or the cached files of the repository.

    Raises:
        ModelError: There are several GGUF files, or a GGUF file beside other weights, or the named file is
            missing.
    """
    if source.file is not None:
        return _named(source, directory) if source.file.endswith(".gguf") else None
    others = _other_weights([path.name for path in directory.iterdir()])
    # The id of a repository means what it always meant: the weights of transformers.
    from_hub = source.repo_id is not None
    if from_hub and others:
        return None
    here = [path.name for path in directory.glob("*.gguf")]
    on_hub = files_on_hub(source, directory) if from_hub else []
    names = model_files([*here, *on_hub])
    if not names:
        return None
    # All but pickled weights were fetched.
    if pickled := _other_weights(on_hub):
        raise ModelError(
            f"{source.name} can be read in two ways: {first_names(names)}, and {pickled[0]}, "
            "which is pickled and can run any code when loaded",
            f"for the GGUF: {_lines(source, names)}; for the other weights, if you trust their author: "
            "setting:allow-pickle",
        )
    if others:
        raise ModelError(
            f"{directory} can be read in two ways: {first_names(names)}, and {others[0]}",
            f"for the GGUF: {_lines(source, names)}; for the other weights: "
            f"setting:model={_typed(source)}:{others[0]}",
        )
    if len(names) > 1 and not _is_one_split(names):
        raise ModelError(
            f"{directory if source.path else source.name} holds {len(names)} GGUF files, and each is a "
            "checkpoint of its own",
            _lines(source, names),
        )
    path = directory / names[0]
    return path if is_weight_file(path) else gguf_snapshot(source, names[0]) / names[0]


def refuse_part(gguf: Gguf) -> None:
    """Check that a GGUF file holds a whole language model, and not a part.

    Raises:
        ModelError: The file is a part of several, or an adapter, or the vision part of a model.
    """
    path, count = gguf.path, gguf.metadata.get("split.count")
    part = _PART.search(path.name)
    if (isinstance(count, int) and count > 1) or (part and int(part[2]) > 1):
        of = part[2].lstrip("0") if part else count
        merged = f"{_PART.sub('', path.name)}.gguf" if part else f"whole-{path.name}"
        first = _PART.sub(f"-00001-of-{part[2]}.gguf", str(path)) if part else str(path)
        raise ModelError(
            f"{path} is one part of {of}, and transformers reads a GGUF that is one file",
            f"put the parts together with llama.cpp: llama-gguf-split --merge {first} {merged}",
        )
    kind = gguf.metadata.get("general.type", "model")
    if kind in _KINDS or gguf.architecture == "clip":
        what = _KINDS.get(kind, _KINDS["mmproj"])
        raise ModelError(
            f"{path} is no language model, but {what}", "name the GGUF file that holds the language model"
        )


@contextmanager
def lone_gguf_folder(path: Path) -> Iterator[Path]:
    """A folder with a GGUF file and nothing else, under the name `ALONE`.

    transformers would take a chat template or a tokenizer's config from files beside the GGUF file.
    """
    with tempfile.TemporaryDirectory(prefix="lengthprobe-") as folder:
        (Path(folder) / ALONE).symlink_to(path.resolve())
        yield Path(folder)


def _named(source: Source, directory: Path) -> Path:
    """The file named after a colon, or as a path."""
    path = directory / str(source.file)
    if is_weight_file(path):
        return path
    # What is cached is no list of what there is.
    names = nearest_first(path.name, model_files(file.name for file in directory.glob("*.gguf")))
    others = f"; there {'is' if len(names) == 1 else 'are'} {first_names(names)}" if names else ""
    raise ModelError(
        f"{directory} holds no {source.file}{others}",
        _lines(source, names) if names else "check the name of the file",
    )


def _other_weights(names: Sequence[str]) -> list[str]:
    """The names of weights in the formats of transformers, without names in a subfolder."""
    return sorted(
        name
        for name in names
        if "/" not in name and any(fnmatch(name, pattern) for pattern in _OTHER_WEIGHTS)
    )


def _is_one_split(names: Sequence[str]) -> bool:
    """Whether all files are parts of one model: reading the first then raises an error."""
    return all(_PART.search(name) for name in names) and len({_PART.sub("", name) for name in names}) == 1


def _lines(source: Source, names: Sequence[str]) -> str:
    shown = [f"setting:model={_typed(source, name)}" for name in names[:_SHOWN]]
    more = len(names) - len(shown)
    return ", or ".join(shown) + (f", or {more} more" if more > 0 else "")


def _typed(source: Source, name: str | None = None) -> str:
    """The name to type for a file of a checkpoint; without a file, the part before the colon."""
    if source.path is not None:
        start = source.name if source.file is None else str(source.path)
        return start if name is None else os.path.join(start, name)
    start = f"{source.repo_id}@{source.revision}" if source.revision else str(source.repo_id)
    return start if name is None else f"{start}:{name}"
