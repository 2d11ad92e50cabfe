"""Digests: a checkpoint identified by content, and not by name or place."""

from __future__ import annotations

import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from lengthprobe.checkpoints.adapters.config import CONFIG
from lengthprobe.checkpoints.disk.stamps import files_read
from lengthprobe.checkpoints.disk.weights import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.gguf.header import Gguf

_TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("tokenizer.model", "spiece.model", "tekken.json", "vocab.json", "vocab.txt", "merges.txt"),
)
# Where the one who saved it had it: of the machine, and not of the checkpoint. The base that an adapter is on
# counts by its weights.
_PATHS = ("_name_or_path", "base_model_name_or_path")
# A file may be written twice within a tick of the file system's clock: the digest of a file that was just
# written is not kept. Some file systems tick every 2 s.
_TICK_NS = 2_000_000_000
_LIBRARIES = ("lengthprobe", "torch", "transformers", "tokenizers", "safetensors")


def content_digest(files: Files) -> str:
    """The SHA-256 of a checkpoint's whole content: weights, config, tokenizer, template, ends, code.

    A copy in another folder has the digest of the original.
    """
    folders = () if files.gguf is not None else files.directories
    others = [
        [path.name, file_digest_of(path)]
        for folder in folders
        for path in files_read([folder], code=True)
        # Paths of whoever saved the configs are left out of their digest.
        if path.name not in ("config.json", CONFIG) and path.is_file()
    ]
    stated = [weights_digest(files), config_digest(files), tokenizer_digest(files), *others]
    return sha256(json.dumps(stated).encode()).hexdigest()


def config_digest(files: Files) -> str:
    """The SHA-256 of the config's SHA-256, followed for an adapter by the SHA-256 of the adapter's config.

    Each config is hashed as sorted JSON, without the paths on the machine where the checkpoint was saved. So
    a copy has the digest of the original. For a GGUF file, the header without the tokenizer is hashed.
    """
    if files.gguf is not None:
        return _header_digest(files.gguf, tokenizer=False)
    paths = [files.directory / "config.json", *([files.adapter / CONFIG] if files.adapter else [])]
    stated = [{key: value for key, value in read_json(path).items() if key not in _PATHS} for path in paths]
    digests = [sha256(json.dumps(config, sort_keys=True).encode()).hexdigest() for config in stated]
    return sha256("".join(digests).encode()).hexdigest()


def weights_digest(files: Files) -> str:
    """The SHA-256 of the weight files' SHA-256s, in name order; the base's files come before an adapter's.

    The digest of a GGUF file is the plain SHA-256 of the file, as download pages state it.
    """
    if files.gguf is not None:
        return file_digest_of(files.gguf.path)
    return _digest((*files.weights, *files.adapter_weights))


def tokenizer_digest(files: Files) -> str:
    """The SHA-256 of the tokenizer files' SHA-256s; for a GGUF file, of the header's tokenizer entries."""
    if files.gguf is not None:
        return _header_digest(files.gguf, tokenizer=True)
    return _digest(path for name in _TOKENIZER_FILES if (path := files.tokenizer / name).is_file())


def versions_of(files: Files) -> dict[str, str]:
    """The versions of Python and of the libraries that run a checkpoint."""
    adapter, gguf = files.adapter is not None, files.gguf is not None
    versions = {"python": platform.python_version()}
    for library in (*_LIBRARIES, *(("peft",) if adapter else ()), *(("gguf",) if gguf else ())):
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    return versions


def _header_digest(gguf: Gguf, *, tokenizer: bool) -> str:
    """The SHA-256 of the tokenizer entries of a header, or of all other entries."""
    stated = {key: value for key, value in gguf.metadata.items() if key.startswith("tokenizer.") == tokenizer}
    return sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def _digest(paths: Iterable[Path]) -> str:
    # Reading a large checkpoint is what takes the time, and hashing frees the interpreter.
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(file_digest_of, paths))
    return sha256("".join(digests).encode()).hexdigest()


class FileState(NamedTuple):
    """The state of a file: another content has another state, but for a file that was just written.

    Args:
        path: The path, absolute.
        device, inode: The place on disk.
        size: The number of bytes.
        mtime_ns: When the content was written, which programs can set.
        ctime_ns: When the file was changed, which no program sets.
    """

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


_known: dict[FileState, str] = {}


def file_state(path: Path) -> FileState:
    """The present state of a file.

    Raises:
        OSError: There is no such file.
    """
    state = path.stat()
    return FileState(
        str(path.absolute()),
        state.st_dev,
        state.st_ino,
        state.st_size,
        state.st_mtime_ns,
        state.st_ctime_ns,
    )


def known_digests(paths: Iterable[Path]) -> dict[FileState, str]:
    """The digests of the files that need not be read again."""
    states = map(file_state, paths)
    return {state: _known[state] for state in states if state in _known}


def assume_digests(digests: Mapping[FileState, str]) -> None:
    """Take over digests of files that an earlier run read."""
    _known.update(digests)


def file_digest_of(path: Path) -> str:
    """The SHA-256 of a file: the file is read once, and again after a change."""
    state, begun = file_state(path), time.time_ns()
    if state in _known:
        return _known[state]
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    is_old = max(state.mtime_ns, state.ctime_ns) < begun - _TICK_NS
    if is_old and file_state(path) == state:
        _known[state] = digest
    return digest
