"""Checkpoints of the Hugging Face hub: from the cache, or downloaded into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.models.catalog import Source
    from lengthprobe.settings import Settings

_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "README.md")
# Subfolders and `consolidated` files repeat the weights in the formats of other programs.
_NOT_FILES = ("*/*", "consolidated*")


def snapshot(source: Source, settings: Settings) -> Path:
    """The directory of a hub checkpoint in the local cache, downloaded where it is not there yet.

    Offline (HF_HUB_OFFLINE=1, or no network) what the cache holds is used.

    Raises:
        ModelError: It is gated, missing, or not cached and not to be reached; the message says which.
    """
    files = [*_FILES, *(["*.py"] if settings.allow_remote_code else [])]
    directory = _download(source, files)
    if settings.allow_pickle and not any(directory.glob("*.safetensors")):
        directory = _download(source, [*files, "*.bin"])
    return directory


def commit(directory: Path) -> str | None:
    """The commit that a directory of the hub cache holds, or None for any other directory."""
    return directory.name if directory.parent.name == "snapshots" else None


def _download(source: Source, files: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download

    repo_id = str(source.repo_id)
    try:
        found = snapshot_download(
            repo_id, revision=source.revision, allow_patterns=list(files), ignore_patterns=list(_NOT_FILES)
        )
    # The classes of a lost connection differ between versions of the hub's client.
    except Exception as error:
        raise _explain(error, source) from error
    return Path(found)


def _explain(error: Exception, source: Source) -> ModelError:
    from huggingface_hub.errors import (
        GatedRepoError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo_id, revision = str(source.repo_id), source.revision
    named = repo_id if source.name == repo_id else f"{source.name} ({repo_id})"
    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{named} is gated: its owner wants a licence accepted, and no token here may read it",
            f"accept the licence at https://huggingface.co/{repo_id}, then: hf auth login",
        )
    if isinstance(error, RepositoryNotFoundError):
        where = "" if source.kind == "alias" else ", and there is no directory of this name here"
        return ModelError(
            f"{named} is not on the hub, or is private{where}",
            f"check the name (https://huggingface.co/{repo_id}); for a private one: hf auth login",
        )
    if isinstance(error, RevisionNotFoundError):
        return ModelError(
            f"{named} has no revision {revision!r}",
            f"choose a branch, tag or commit of https://huggingface.co/{repo_id}/commits/main",
        )
    if isinstance(error, LocalEntryNotFoundError):
        at = f" --revision {revision}" if revision else ""
        where = "" if source.kind == "alias" else ", and there is no directory of this name here"
        return ModelError(
            f"{named} is not in the hub cache, or not whole, and the hub cannot be reached{where}",
            f"where there is a network: hf download {repo_id}{at}   (HF_HOME says where the cache is, "
            "HF_HUB_OFFLINE=1 keeps the network out)",
        )
    return ModelError(
        f"{named} cannot be downloaded: {type(error).__name__}: {error}",
        f"try: hf download {repo_id}",
    )
