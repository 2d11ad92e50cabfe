"""Held: a checkpoint located, placed and loaded at the first use, and only once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from lengthprobe.checkpoints.row_limits import RowLimits
from lengthprobe.errors import LengthprobeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.checkpoints.placement import Placement
    from lengthprobe.settings import Settings

Made = TypeVar("Made")


class Held:
    """A checkpoint by name. After a failure, no claim tries again.

    Args:
        name: Alias, hub id, directory, or fixture model.
        settings: The settings for loading.
        reading: Told the size of the weights, in bytes, before they are read.
        limits: Remembers the numbers of rows with which memory runs out.
        absent: The reason why there is no checkpoint, raised at every use; None for a checkpoint.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        reading: Callable[[int], None] = lambda _size: None,
        *,
        limits: RowLimits | None = None,
        absent: LengthprobeError | None = None,
    ) -> None:
        self._limits = limits or RowLimits()
        self._name = name
        self._settings = settings
        self._reading = reading
        self._files: Files | None = None
        self._placement: Placement | None = None
        self._checkpoint: Checkpoint | None = None
        self._failure = absent

    @property
    def files(self) -> Files:
        """The checkpoint on disk, located and checked.

        Raises:
            ModelError: The checkpoint cannot be found, or lengthprobe cannot run it.
        """
        if self._files is None:
            from lengthprobe.checkpoints.files import locate

            self._files = self.once(lambda: locate(self._name, self._settings))
        return self._files

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint in memory.

        Raises:
            ModelError: The checkpoint cannot be loaded.
        """
        if self._checkpoint is None:
            from lengthprobe.checkpoints.loading import load_checkpoint

            files = self.files
            self._reading(files.weight_bytes)
            loaded = self.once(lambda: load_checkpoint(files, self._settings))
            self._checkpoint = replace(loaded, limits=self._limits)
        return self._checkpoint

    @property
    def batch_size(self) -> int:
        """Most prompts at once, chosen without loading the weights.

        Raises:
            ModelError: The checkpoint cannot be found, or the device not be had.
        """
        from lengthprobe.checkpoints.placement import choose_batch_size

        return choose_batch_size(self.files, self._settings, self.placement)

    @property
    def placement(self) -> Placement:
        """The device and number format, chosen without loading the weights.

        Raises:
            ModelError: The checkpoint cannot be found, or the device not be had.
        """
        if self._placement is None:
            from lengthprobe.checkpoints.placement import place

            self._placement = self.once(lambda: place(self.files, self._settings))
        return self._placement

    def once(self, make: Callable[[], Made]) -> Made:
        """The result of `make`. A failure is raised, and is raised again at every later call."""
        if self._failure is not None:
            raise self._failure
        try:
            return make()
        except LengthprobeError as error:
            self._failure = error
            raise
