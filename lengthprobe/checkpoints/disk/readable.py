"""Whether the folder of a checkpoint can be read at all, and whether its files are where its links say."""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.disk.stamps import READ
from lengthprobe.checkpoints.disk.weights import download_again
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER, FILE = "folder", "file"


def path_kind(path: Path) -> str | None:
    """Whether a path is a `folder` or a `file`; None where there is nothing.

    Raises:
        ModelError: The system denies access, or the path is a link that leads nowhere.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise ModelError(
                f"{path} is a link to {os.readlink(path)}, which is not there",
                f"point it at a folder that is there: ln -sfn <the folder> {path}",
            ) from None
        return None
    # A name that no file can have, such as one with a null byte, or one that is too long.
    except ValueError:
        return None
    except PermissionError as error:
        raise _locked(path.parent, error) from error
    except OSError as error:
        if path.is_symlink():
            raise _unusable(path, error) from error
        return None
    return FOLDER if stat.S_ISDIR(mode) else FILE


def check_readable(folder: Path) -> None:
    """Check that a folder can be listed, and that no file to be read is a dead link.

    Args:
        folder: The folder of a checkpoint or an adapter.

    Raises:
        ModelError: The folder cannot be listed, or a file is a link that leads nowhere; the message names the
            folder or the link.
    """
    try:
        os.fspath(folder).encode()
    except UnicodeEncodeError as error:
        raise ModelError(
            f"the path {folder} is no UTF-8, in which tokenizers and safetensors want it",
            "rename the folder, or name a link to it: ln -s <the folder> checkpoint",
        ) from error
    try:
        # Without the right to search it, a folder lists its files, and lets none be looked at.
        names = sorted(os.listdir(folder))
        os.stat(folder / "config.json")
    except FileNotFoundError:
        pass
    except PermissionError as error:
        raise _locked(folder, error) from error
    except OSError as error:
        raise _unusable(folder, error) from error
    for path in (folder / name for name in names if any(fnmatchcase(name, pattern) for pattern in READ)):
        if path.is_symlink() and not os.path.exists(path):
            raise ModelError(
                f"{path} is a link to {os.readlink(path)}, which is not there", download_again(path)
            )


def _locked(folder: Path, error: OSError) -> ModelError:
    return ModelError(f"the folder {folder} cannot be read: {error.strerror}", f"chmod u+rx {folder}")


def _unusable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path} cannot be read: {error.strerror or type(error).__name__}", f"check it: ls -l {path}"
    )
