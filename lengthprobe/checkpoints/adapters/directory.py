"""PEFT adapters: a directory with adapter_config.json, loaded on the model named in the config."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.adapters.config import CONFIG, adapter_config_error, read_adapter_config
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


def is_adapter(directory: Path) -> bool:
    """Whether a directory holds an adapter and no whole model.

    Some trainers save the config of the base beside the adapter. Without the base's weights, this config
    makes no whole model.
    """
    if not (directory / CONFIG).is_file():
        return False
    if not (directory / "config.json").is_file():
        return True
    whole = ("model*.safetensors*", "pytorch_model*")
    return any(directory.glob("adapter_model*")) and not any(
        any(directory.glob(pattern)) for pattern in whole
    )


def base_name(directory: Path) -> str | None:
    """The name of the base in an adapter's config; None where the directory holds no adapter.

    Raises:
        ModelError: The adapter's config names no model.
    """
    if not is_adapter(directory):
        return None
    config = read_adapter_config(directory)
    name = config.get("base_model_name_or_path")
    if not isinstance(name, str) or not name:
        raise ModelError(
            f"{directory / CONFIG} does not say which model the adapter belongs to",
            f"write base_model_name_or_path into {CONFIG}",
        )
    revision = config.get("revision")
    if not isinstance(revision, str | None):
        raise adapter_config_error(directory, f"its revision {revision!r} is no name")
    if not name.isprintable():
        raise adapter_config_error(directory, f"its base_model_name_or_path {name!r} is no name")
    try:
        local = (directory / name).is_dir()
    except OSError as error:
        raise adapter_config_error(
            directory, f"its base_model_name_or_path is no name ({error.strerror})"
        ) from error
    return f"{name}@{revision}" if revision and "@" not in name and not local else name


def no_base(directory: Path, name: str, error: ModelError) -> ModelError:
    """The error for an adapter whose base cannot be used; the message has the file and the line to write.

    Args:
        directory: The adapter.
        name: The base, as the adapter's config names it.
        error: The error about the base.
    """
    # Trainers write the path from where they ran; the base is often beside the adapter.
    beside = directory.resolve().parent / name.rpartition("/")[2]
    exists = beside != directory.resolve() and (beside / "config.json").is_file()
    line = f'"base_model_name_or_path": "{f"../{beside.name}" if exists else "<the folder of the base>"}"'
    here = " (the folder beside the adapter)" if exists else ""
    fix = f"write into {directory / CONFIG}: {line}{here}"
    return ModelError(
        f"the base of the adapter in {directory}: {error.problem} "
        f"({CONFIG} says so: base_model_name_or_path {name!r})",
        f"{fix}; or {error.fix}" if error.fix and not exists else fix,
    )


def require_peft(directory: Path) -> None:
    """Check that peft, which loads adapters, is installed.

    Raises:
        ModelError: peft is missing; the message has the command to install peft.
    """
    if find_spec("peft") is None:
        raise ModelError(
            f"{directory} is a PEFT adapter, and peft is not installed", "pip install 'lengthprobe[peft]'"
        )
