"""Published findings about length control in language models, as assertions for a checkpoint to pass."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lengthprobe import errors
    from lengthprobe.probe import Probe, load
    from lengthprobe.saved_probe import load_run
    from lengthprobe.task.words import count_words

    __version__: str

__all__ = ["Probe", "__version__", "count_words", "errors", "load", "load_run"]

# Imported at the first use: the plugin imports this package into every pytest session of an environment.
_HOMES = {
    **dict.fromkeys(("Probe", "load"), "lengthprobe.probe"),
    "load_run": "lengthprobe.saved_probe",
    "count_words": "lengthprobe.task.words",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("lengthprobe")
    if name == "errors":
        return import_module("lengthprobe.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
