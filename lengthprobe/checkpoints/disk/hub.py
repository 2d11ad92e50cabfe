"""Checkpoints of the Hugging Face hub: from the cache, or downloaded into the cache."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.missing import near_checkpoints
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.settings import Settings

_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "README.md")
# Subfolders and `consolidated` files repeat the weights in the formats of other programs.
_NOT_FILES = ("*/*", "consolidated*")
_CARD = "README.md"
# So many checkpoints on this machine are named beside one that is nowhere.
_NAMED = 3
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Each overrules those after it.
_CACHE_VARIABLES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")


def snapshot(source: Source, settings: Settings) -> Path:
    """The directory of a hub checkpoint in the local cache, downloaded if need be.

    Offline (HF_HUB_OFFLINE=1, or no network) the content of the cache is used.

    Raises:
        ModelError: The checkpoint is gated or missing, or the hub cannot be reached and the cache has no
            copy; the message says which.
    """
    _refuse_cache_that_is_a_file()
    if source.file is not None and source.file.endswith(".gguf"):
        return gguf_snapshot(source, source.file)
    files = [*_FILES, *(["*.py"] if settings.allow_remote_code else [])]
    directory = _download(source, files)
    if commit(directory) is None:
        # Of a ref that is empty, the hub's client makes the folder of all snapshots.
        raise _bad_ref(source, _ref_of(source)[0])
    if settings.allow_pickle and not any(directory.glob("*.safetensors")):
        directory = _download(source, [*files, "*.bin"])
    return directory


def gguf_snapshot(source: Source, name: str) -> Path:
    """The directory in the local cache with a GGUF file of a hub checkpoint, and with the model card.

    Raises:
        ModelError: The errors of `snapshot`.
    """
    return _download(source, [name, _CARD], unless=())


def files_on_hub(source: Source, directory: Path) -> list[str]:
    """The names of the files of a hub checkpoint, none where the hub cannot be reached.

    Args:
        source: The checkpoint.
        directory: The cached files, whose commit the hub is asked about.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        return list(HfApi().list_repo_files(str(source.repo_id), revision=commit(directory)))
    # The classes of a lost connection differ between versions of the hub's client.
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError, ValueError):
        return []


def commit(directory: Path) -> str | None:
    """The commit of a directory in the hub cache, or None for any other directory."""
    return directory.name if directory.parent.name == "snapshots" else None


def _download(source: Source, files: Sequence[str], unless: Sequence[str] = _NOT_FILES) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted: dict[str, Any] = {"allow_patterns": list(files), "ignore_patterns": list(unless)}
    repo_id = str(source.repo_id)
    try:
        return Path(snapshot_download(repo_id, revision=source.revision, **wanted))
    except (LocalEntryNotFoundError, UnicodeDecodeError) as error:
        ref, named = _ref_of(source)
        if ref is None:
            raise _explain(error, source) from error
        try:
            if named:
                return Path(snapshot_download(repo_id, revision=named, local_files_only=True, **wanted))
        except LocalEntryNotFoundError:
            pass
        raise _bad_ref(source, ref) from error
    # The classes of a lost connection differ between versions of the hub's client.
    except Exception as error:
        # A commit never changes. Clients before 2.0 ask for its list of files though the cache holds them.
        if _COMMIT.fullmatch(source.revision or ""):
            with suppress(LocalEntryNotFoundError):
                return Path(
                    snapshot_download(repo_id, revision=source.revision, local_files_only=True, **wanted)
                )
        raise _explain(error, source) from error


def _bad_ref(source: Source, ref: Path | None) -> ModelError:
    return ModelError(
        f"{ref} names no commit that the hub cache holds, and the hub cannot be reached",
        f"where there is a network, so that it is written anew: {_hf_download(source)}",
    )


def _ref_of(source: Source) -> tuple[Path | None, str | None]:
    """The cache's file with the commit of a branch or tag, and the commit; None where either is missing.

    The hub's client takes the file's content unchanged, with a line break at the end, and then finds nothing
    (huggingface_hub #4133).
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=str(source.repo_id), repo_type="model"))
    ref = folder / "refs" / (source.revision or "main")
    try:
        named = ref.read_bytes().decode(errors="replace").strip()
    except (OSError, ValueError):
        return None, None
    return ref, named if _COMMIT.fullmatch(named) else None


def _refuse_cache_that_is_a_file() -> None:
    """Check that the hub cache can be a folder.

    Raises:
        ModelError: A file stands in place of the folder; the message has the environment variable with the
            path.
    """
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    existing = next((path for path in (cache, *cache.parents) if os.path.lexists(path)), cache)
    if os.path.isdir(existing) or not os.path.lexists(existing):
        return
    variable = next((name for name in _CACHE_VARIABLES if os.environ.get(name)), None)
    says = f" ({variable}={os.environ[variable]})" if variable else ""
    raise ModelError(
        f"the hub cache is to be the folder {cache}{says}, and {existing} is no folder",
        f"unset {variable}, or let it name a folder" if variable else f"move {existing} out of the way",
    )


def _hf_download(source: Source) -> str:
    return f"hf download {source.repo_id}" + (f" --revision {source.revision}" if source.revision else "")


def _explain(error: Exception, source: Source) -> ModelError:
    from huggingface_hub.errors import (
        GatedRepoError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo_id, revision = str(source.repo_id), source.revision
    named = repo_id if source.name == repo_id else f"{source.name} ({repo_id})"
    where = "" if source.kind == "alias" else ", and there is no directory of this name here"
    # A path of two parts is spelled as the hub's names are.
    near = near_checkpoints(source.name) if where else []
    meant = f"did you mean {' or '.join(near[:_NAMED])}? Or " if near else ""
    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{named} is gated: its owner wants a licence accepted, and no token here may read it",
            f"accept the licence at https://huggingface.co/{repo_id}, then: hf auth login",
        )
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(
            f"{named} is not on the hub, or is private{where}",
            f"{meant}check the name (https://huggingface.co/{repo_id}); for a private one: hf auth login",
        )
    if isinstance(error, RevisionNotFoundError):
        return ModelError(
            f"{named} has no revision {revision!r}",
            f"choose a branch, tag or commit of https://huggingface.co/{repo_id}/commits/main",
        )
    if isinstance(error, LocalEntryNotFoundError):
        return ModelError(
            f"{named} is not in the hub cache, or not whole, and the hub cannot be reached{where}",
            f"{meant}where there is a network: {_hf_download(source)}   (HF_HOME says where the cache is, "
            "HF_HUB_OFFLINE=1 keeps the network out)",
        )
    return ModelError(
        f"{named} cannot be downloaded: {type(error).__name__}: {reason(error)}",
        f"try: {_hf_download(source)}",
    )
