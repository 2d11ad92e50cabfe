"""Names of checkpoints: the source of a name, the base model under a checkpoint, and the lineage."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.aliases import ALIASES, BY_REPO_ID
from lengthprobe.checkpoints.disk.hub_log import without_retries
from lengthprobe.checkpoints.disk.readable import FILE, FOLDER, path_kind
from lengthprobe.checkpoints.missing import missing_path, near_checkpoints
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PACKAGE = Path(__file__).resolve().parent.parent
# The wheel carries a few fixture models inside the package; a checkout has them all beside it.
FIXTURE_FOLDERS = (_PACKAGE / "fixture_models", _PACKAGE.parent / "fixtures" / "models")
# The lineages whose mechanism is known: for what is of one, a claim about the mechanism is a requirement.
LLAMA_31, FIXTURE = "llama-3.1", "fixture"
LINEAGES = (LLAMA_31, FIXTURE)
# Cards written in its first months have the longer id.
_LLAMA_31_ID = re.compile(r"meta-llama/(Meta-)?Llama-3\.1-.+", re.IGNORECASE)
_REVISION = re.compile(r"[\w./-]+")
_HUB_ID = re.compile(rf"(?P<repo>[A-Za-z0-9][\w.-]*/[\w.-]+)(?:@(?P<revision>{_REVISION.pattern}))?")

# What may be named after a colon, where a folder or a repository holds several checkpoints.
_WEIGHTS = (".gguf", ".safetensors", ".safetensors.index.json", ".bin")
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")


@dataclass(frozen=True, slots=True)
class Source:
    """The place of a checkpoint.

    Args:
        name: The name as typed.
        kind: `fixture`, `directory`, `alias` or `hub`.
        repo_id: Its id on the hub, for an alias or a hub id.
        revision: Branch, tag or commit asked for on the hub.
        path: Its directory, for a fixture model or a directory.
        file: The file in the directory that is the checkpoint, None where the whole directory is.
    """

    name: str
    kind: str
    repo_id: str | None = None
    revision: str | None = None
    path: Path | None = None
    file: str | None = None


def resolve(name: str, *, near: Path | None = None) -> Source:
    """The source that a name means: fixture model, directory, alias or hub id, tried in this order.

    A GGUF file is named by its path, or after a colon (`org/name:file.gguf`).

    Args:
        name: A name from the user, or from a config or a model card.
        near: A directory from which a relative path may start, tried before the working directory: the place
            where the name was read.

    Raises:
        ModelError: The name is unknown; the message offers the nearest names.
    """
    if not name.strip():
        raise ModelError("the name of the model is empty", "setting:model=llama-3.1-8b-instruct")
    for folder in FIXTURE_FOLDERS:
        if name in _directories(folder):
            return Source(name, "fixture", path=folder / name)
    for start in (*([near] if near else []), Path()):
        path = start / os.path.expanduser(name)
        kind = path_kind(path)
        if kind == FOLDER:
            return Source(name, "directory", path=path)
        if kind == FILE and path.suffix == ".gguf":
            return Source(name, "directory", path=path.parent, file=path.name)
        if kind == FILE:
            raise _is_file(name, path)
    folder_name, colon, file = name.rpartition(":")
    if colon and folder_name and file.endswith(_WEIGHTS):
        return replace(resolve(folder_name, near=near), name=name, file=file)
    if _spelled_as_path(name) or name.endswith(".gguf"):
        raise missing_path(name)
    alias, separator, revision = name.partition("@")
    if separator and not revision:
        raise ModelError(
            f"{name} names no revision after the @",
            f"setting:model={alias}, or {alias}@<a branch or tag>",
        )
    if alias.lower() in ALIASES and (not separator or _REVISION.fullmatch(revision)):
        return Source(name, "alias", repo_id=ALIASES[alias.lower()].repo_id, revision=revision or None)
    if match := _HUB_ID.fullmatch(name):
        return Source(name, "hub", repo_id=match["repo"], revision=match["revision"])
    raise ModelError(f"no model is known by the name {name!r}", _suggestion(name))


def base_of(source: Source) -> str | None:
    """The name of the base model under a tuned checkpoint, or None where nothing tells.

    The table of aliases comes first, then `base_model` in the model card, then the config of an adapter.
    Where the model found is itself known to be tuned, the base of this model is given.
    """
    base = _stated_base(source)
    seen = {source.name, _name(source)}
    while base is not None and _name(base) not in seen:
        seen.add(_name(base))
        further = _stated_base(base) if base.kind != "hub" or base.repo_id in BY_REPO_ID else None
        if further is None:
            return _name(base)
        base = further
    return None


def lineage_of(source: Source, unread: Callable[[str], None] = lambda _name: None) -> str | None:
    """The lineage of a checkpoint, from `LINEAGES`, or None where nothing tells.

    Fixture models and Llama 3.1 are known by name. A tuned checkpoint is known by its chain of bases: the
    table of aliases, the model card or the adapter's config names each base. A card missing from the cache is
    fetched from the hub.

    Args:
        source: The checkpoint.
        unread: Told the id of each checkpoint whose card is not cached, where the hub cannot be reached.
    """
    current: Source | None = source
    seen: set[str] = set()
    while current is not None and _name(current) not in seen:
        if current.kind == "fixture" or (current.path is not None and _is_fixture(current.path)):
            return FIXTURE
        if _LLAMA_31_ID.fullmatch(current.repo_id or ""):
            return LLAMA_31
        seen.add(_name(current))
        try:
            current = _stated_base(current, unread)
        except ModelError:
            # An adapter whose config cannot be read: who loads it will say so.
            return None
    return None


def _stated_base(source: Source, unread: Callable[[str], None] = lambda _name: None) -> Source | None:
    """The base of a checkpoint, as the table of aliases, the card or the adapter's config states it."""
    known = BY_REPO_ID.get(source.repo_id or "")
    if known is not None:
        base = ALIASES[known].base
        return resolve(base) if base is not None else None
    directory = source.path
    card = directory / "README.md" if directory else _card_from_hub(source, unread)
    stated = _card_bases(card) or _adapter_bases(directory)
    # A merge of several models has no one counterpart.
    if not stated or len(set(stated)) > 1:
        return None
    try:
        return resolve(stated[0], near=directory)
    except ModelError:
        # Trainers write whatever path they were given, which need not exist here.
        return None


def _name(source: Source) -> str:
    """A name of a checkpoint with the same meaning from every directory."""
    if source.kind != "directory" or source.path is None:
        return source.name
    return _from_here(source.path / source.file if source.file else source.path)


def _is_fixture(path: Path) -> bool:
    return path.resolve().parent in [folder.resolve() for folder in FIXTURE_FOLDERS]


def _from_here(path: Path) -> str:
    """A name for a directory, relative to the working directory: so a report shows little of the machine."""
    relative = os.path.relpath(path.resolve())
    # Bare, it could be the name of a fixture model.
    return relative if relative.startswith(os.pardir) else os.path.join(os.curdir, relative)


def _card_bases(card: Path | None) -> list[str]:
    if card is None or not card.is_file():
        return []
    # Costs a tenth of a second, and few runs need it.
    from huggingface_hub import ModelCard

    try:
        stated = getattr(ModelCard.load(card, ignore_metadata_errors=True).data, "base_model", None)
    # A card is written by hand, and what is wrong in it is no concern of a run.
    except Exception:
        return []
    names = stated if isinstance(stated, list) else [stated]
    return [name for name in names if isinstance(name, str) and name.strip()]


def _adapter_bases(directory: Path | None) -> list[str]:
    """The base named in an adapter's config, where the directory holds an adapter."""
    from lengthprobe.checkpoints.adapters.directory import base_name

    name = base_name(directory) if directory else None
    return [name] if name else []


def _card_from_hub(source: Source, unread: Callable[[str], None]) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        with without_retries():
            return Path(hf_hub_download(str(source.repo_id), "README.md", revision=source.revision))
    except LocalEntryNotFoundError:
        unread(str(source.repo_id))
    except (HfHubHTTPError, HFValidationError, OSError):
        # There is no card: then nothing tells.
        pass
    return None


def _is_file(name: str, path: Path) -> ModelError:
    """The error for the name of a file; the message names the file's folder where this is a checkpoint."""
    folder = path.parent
    problem = f"{name} is a file, and a checkpoint is a folder"
    if any((folder / config).is_file() for config in ("config.json", "adapter_config.json")):
        return ModelError(problem, f"name the checkpoint's directory: {Path(name).parent}")
    if path.suffix in _PACKED:
        return ModelError(
            f"{name} is an archive, and a checkpoint is a folder",
            "unpack it, and name the folder in it that holds config.json",
        )
    return ModelError(
        problem, "name the folder that save_pretrained wrote: it holds config.json, weights and tokenizer"
    )


def _spelled_as_path(name: str) -> bool:
    return name.startswith((".", "~", os.sep)) or name.partition("@")[0].count("/") > 1


def _suggestion(name: str) -> str:
    names = [*ALIASES, *_fixture_models()]
    near = [*near_checkpoints(name), *get_close_matches(name.lower(), names, n=3, cutoff=0.5)][:3]
    ways = "a directory (./my-checkpoint) or a hub id (org/name) is a name too"
    return f"did you mean {' or '.join(near)}? {ways}" if near else ways


def _fixture_models() -> Iterator[str]:
    for folder in FIXTURE_FOLDERS:
        yield from _directories(folder)


def _directories(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / "config.json").is_file())
