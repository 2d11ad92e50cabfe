"""The weight files of a checkpoint, checked before anything is loaded from them."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.headers import refuse_doubled
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from pathlib import Path

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_NO_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state*.pth")
# What one process of a distributed training saves. transformers loads them before any other file.
_DISTRIBUTED = "shard-[0-9][0-9][0-9][0-9][0-9]-model-*.safetensors"
INDEX = ".index.json"


def weight_files(
    directory: Path, *, stem: str = "model", named: object = None, allow_pickle: bool = False
) -> tuple[Path, ...]:
    """The files with a checkpoint's weights, in name order; safetensors where there are any.

    Args:
        directory: The checkpoint.
        stem: `model`, or `adapter_model` for an adapter.
        named: The file or index under `transformers_weights` in config.json, None without this key.
        allow_pickle: Take pickled weights where there are no others.

    Raises:
        ModelError: The folder holds no weights, or two sets of weights; a file named in the index is missing;
            a file is cut short or corrupt; or the weights are pickled, and pickles are not allowed.
    """
    single = f"{stem}.safetensors"
    if named is not None:
        files = _named(directory, named)
    else:
        files = _one_reading(directory, single)
        _refuse_distributed(directory, single)
    if files:
        for file in files:
            check_safetensors(file)
        refuse_doubled(files)
        return files
    return _pickled(directory, single, stem=stem, allow_pickle=allow_pickle)


def weights_name(directory: Path, files: tuple[Path, ...], named: object = None) -> str | None:
    """The name of the file or index through which transformers loads some safetensors files.

    None for pickled files, which cannot be named.

    Args:
        directory: The checkpoint.
        files: The result of `weight_files`.
        named: The file or index under `transformers_weights` in config.json.

    Raises:
        ModelError: The index lacks the metadata without which transformers does not read an index.
    """
    if files[0].suffix != ".safetensors":
        return None
    single = "model.safetensors"
    name = str(named) if named is not None else single
    if named is None and files != (directory / single,):
        name = single + INDEX
    if name.endswith(INDEX) and not isinstance(read_json(directory / name).get("metadata"), dict):
        raise ModelError(
            f"{directory / name} has no metadata, which transformers reads",
            f'add "metadata": {{}} to {name}, or save the model again with save_pretrained',
        )
    return name


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a checkpoint.

    Raises:
        ModelError: The file cannot be read, or holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable_file(path, error) from error
    # JSON that is nested very deep ends in a RecursionError.
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} cannot be read: {reason(error)}", f"restore {path.name} from its source"
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no JSON object", f"restore {path.name} from its source")
    return content


def check_safetensors(file: Path) -> None:
    """Check that a safetensors file is whole: a readable header, and as many bytes as the header says.

    Raises:
        ModelError: The file is not whole.
    """
    from safetensors import SafetensorError, safe_open

    fix = f"copy or download {file.name} again"
    try:
        with file.open("rb") as opened:
            start = opened.read(24)
    except OSError as error:
        raise unreadable_file(file, error) from error
    if start == b"version https://git-lfs.":
        raise ModelError(f"{file} is a git-lfs pointer, not the weights", "git lfs pull")
    try:
        with safe_open(str(file), framework="np") as tensors:
            count = len(tensors.keys())
    except (OSError, SafetensorError) as error:
        size = f"{file.stat().st_size:,} bytes"
        raise ModelError(f"{file} ({size}) is cut short or corrupt: {reason(error)}", fix) from error
    if not count:
        raise ModelError(f"{file} holds no tensor", fix)


def is_weight_file(path: Path) -> bool:
    """Whether a path is a file.

    Raises:
        ModelError: The path is a link to a missing file, or the system denies access.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise ModelError(
                f"{path} is a link to {os.readlink(path)}, which is not there", download_again(path)
            ) from None
        return False
    # A name that no file can have, such as one with a null byte.
    except ValueError:
        return False
    except OSError as error:
        raise unreadable_file(path, error) from error


def _one_reading(directory: Path, single: str) -> tuple[Path, ...]:
    """The single file, or the files named in the index; empty where there is neither."""
    file, index = directory / single, directory / (single + INDEX)
    alone = is_weight_file(file)
    if not is_weight_file(index):
        return (file,) if alone else ()
    files = indexed_files(index)
    # transformers takes a single pickle before its index, and safetensors are passed on by name.
    if alone and (file not in files or (len(files) > 1 and file.suffix == ".bin")):
        shards = files[0].name if len(files) == 1 else f"{files[0].name} … {files[-1].name}"
        raise ModelError(
            f"{directory} holds two sets of weights: {single}, and what {index.name} names ({shards})",
            f"if {single} is the model, remove {index.name} and its files; "
            f"if those are the model, remove {single}",
        )
    for shard in files:
        if not is_weight_file(shard):
            raise ModelError(
                f"{shard.name}, which {index.name} names, is missing from {directory}",
                f"copy or download {shard.name} again",
            )
    return files


def indexed_files(index: Path) -> tuple[Path, ...]:
    """The files named in an index, whether they are there or not.

    Raises:
        ModelError: The index cannot be read, or names no weights, or a file outside of its folder.
    """
    names = read_json(index).get("weight_map")
    restore = f"restore {index.name} from its source"
    if not isinstance(names, dict) or not names:
        raise ModelError(f"{index} names no weights", restore)
    for tensor, name in names.items():
        if not isinstance(name, str) or not name:
            raise ModelError(
                f"{index} names no file for {tensor!r}, but {json.dumps(name)[:40]}",
                restore,
            )
        if not _is_within(name):
            raise ModelError(f"{index} names a file outside of its folder: {name!r}", restore)
    return tuple(index.parent / name for name in sorted({os.path.normpath(name) for name in names.values()}))


def _is_within(name: str) -> bool:
    """Whether a file name stays in its folder."""
    plain = os.path.normpath(name)
    return not os.path.isabs(plain) and plain.split(os.sep)[0] not in (os.pardir, os.curdir)


def _named(directory: Path, named: object) -> tuple[Path, ...]:
    """The weight files named in config.json."""
    key = f"transformers_weights in {directory / 'config.json'}"
    fix = "remove transformers_weights from config.json, or let it name the file that holds the weights"
    kinds = (".safetensors", ".safetensors" + INDEX)
    if not isinstance(named, str) or not named.endswith(kinds) or not _is_within(named):
        raise ModelError(f"{key} names no safetensors file of this folder: {json.dumps(named)[:80]}", fix)
    path = directory / named
    if not is_weight_file(path):
        raise ModelError(f"{key} names a file that is not there: {named}", fix)
    if not named.endswith(INDEX):
        return (path,)
    files = indexed_files(path)
    for shard in files:
        if not is_weight_file(shard):
            raise ModelError(
                f"{shard.name}, which {path.name} names, is missing from {directory}",
                f"copy or download {shard.name} again",
            )
    return files


def _refuse_distributed(directory: Path, single: str) -> None:
    parts = sorted(path.name for path in directory.glob(_DISTRIBUTED))
    if parts:
        raise ModelError(
            f"{directory} holds the files of a distributed training ({parts[0]}), "
            f"which transformers loads in place of {single}",
            f"if {single} is the model, remove the shard-… files; if they are the model, load it and save it "
            "with save_pretrained into another folder",
        )


def _pickled(directory: Path, single: str, *, stem: str, allow_pickle: bool) -> tuple[Path, ...]:
    pickles = tuple(
        path
        for pattern in _PICKLES
        for path in sorted(directory.glob(pattern))
        if not any(path.match(other) for other in _NO_WEIGHTS)
    )
    pickle = "pytorch_model.bin" if stem == "model" else f"{stem}.bin"
    if allow_pickle and (files := _one_reading(directory, pickle)):
        return files
    if not pickles:
        others = sorted(path.name for path in directory.glob("*.safetensors"))
        note = f"; {', '.join(others)} is not named by an index" if others else ""
        raise ModelError(
            f"{directory} holds no weights: no {single}{note}",
            "copy the weights there, or point at the directory that holds them "
            "(weights pickled on the hub are fetched with setting:allow-pickle)",
        )
    if allow_pickle:
        raise ModelError(
            f"{directory} holds no {single} and no {pickle}, and {pickles[0].name} is not loaded by its name",
            f"if {pickles[0].name} holds the weights, rename it: {pickle}",
        )
    raise ModelError(
        f"{directory} holds pickled weights only ({pickles[0].name}), which can run any code when loaded",
        "convert them with save_pretrained (it writes safetensors), or, if you trust their author: "
        "setting:allow-pickle",
    )


def download_again(path: Path) -> str:
    """The command to download a file of the hub cache again, or advice in words for any other file."""
    for folder in path.parents:
        if folder.name.startswith("models--") and path.is_relative_to(folder / "snapshots"):
            repo_id = folder.name.removeprefix("models--").replace("--", "/")
            revision, *rest = path.relative_to(folder / "snapshots").parts
            return f"hf download {repo_id} {'/'.join(rest)} --revision {revision}"
    return f"copy or download {path.name} again"


def unreadable_file(path: Path, error: OSError) -> ModelError:
    """The error for a file to which the system denies access."""
    said = error.strerror or reason(error)
    fix = f"chmod u+r {path}" if isinstance(error, PermissionError) else f"copy or download {path.name} again"
    return ModelError(f"{path} cannot be read: {said}", fix)
