"""Respondent: the checkpoint that answers, known from an earlier run where nothing has changed since.

To find kept answers, a run needs the digest of a checkpoint, the device, the number format and the size of a
batch. To find these out takes torch, and reads all weights. So a run keeps what it found out, with the
digest of every file that decides the result, and with all that is known of the machine without torch. A
later run compares. Where anything is different or not known, the run finds out anew.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.keys import respondent_of, source_digest
from lengthprobe.asking.progress import tell_reading
from lengthprobe.checkpoints.digests import (
    assume_digests,
    content_digest,
    file_digest_of,
    file_state,
    known_digests,
)
from lengthprobe.checkpoints.disk.stamps import files_read
from lengthprobe.checkpoints.machine import machine_facts
from lengthprobe.checkpoints.precision import USUAL, precision_flags
from lengthprobe.errors import LengthprobeError, ModelError
from lengthprobe.settings import CHANGE_NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lengthprobe.asking.progress import Tell
    from lengthprobe.asking.store import Store
    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.held import Held
    from lengthprobe.settings import Settings

# So large weights are loaded while their digest is computed: reading them takes the time of both.
_LARGE = 1 << 28
# In place of facts that no longer hold.
_NOTHING = b"null"
# Settings without a part in an identity.
_INDECISIVE = frozenset({"alpha", "across_forms", "languages"})
# The files beside the weights that are small, and may decide how a checkpoint is loaded.
_BESIDE = ("*.json", "*.jinja", "*.txt", "*.model", "*.py", "*.tiktoken")


@dataclass(frozen=True, slots=True)
class _Facts:
    """The facts of an earlier run.

    Args:
        respondent: The result of `respondent_of`.
        directory: The folder of the checkpoint; for an adapter, of the base.
        weight_bytes: The size of the weights.
        names: The names of all files of each folder.
        digests: The digest of each file that decides.
    """

    respondent: dict[str, Any]
    directory: str
    weight_bytes: int
    names: dict[str, list[str]]
    digests: dict[str, str]

    @property
    def hold(self) -> bool:
        """Whether every folder and every file is as it was."""
        return all(_names(Path(folder)) == names for folder, names in self.names.items()) and all(
            file_digest_of(Path(path)) == digest for path, digest in self.digests.items()
        )


class Respondent:
    """The checkpoint that answers.

    Args:
        held: The checkpoint, not loaded yet.
        source: The source of the checkpoint.
        settings: The settings.
        name: The display name of the checkpoint.
        store: Holds the facts of earlier runs; None: nothing is known before, and nothing kept.
        tell: Called with the progress.
    """

    def __init__(
        self, held: Held, source: Source, settings: Settings, name: str, store: Store | None, tell: Tell
    ) -> None:
        self._held, self._source, self._settings = held, source, settings
        self._name, self._store, self._tell = name, store, tell
        self._is_confirmed = False

    @property
    def batch_size(self) -> int:
        """Most prompts at once.

        Raises:
            ModelError: The checkpoint cannot be found, or the device not be had.
        """
        return self._recalled.respondent["batch_size"] if self._recalled else self._held.batch_size

    @property
    def directory(self) -> str:
        """The folder of the checkpoint; for an adapter, of the base.

        Raises:
            ModelError: The checkpoint cannot be found, or lengthprobe cannot run it.
        """
        return self._recalled.directory if self._recalled else str(self._held.files.directory)

    @cached_property
    def content(self) -> dict[str, Any]:
        """All of the checkpoint and the machine that determines an answer (`keys.respondent_of`).

        Raises:
            ModelError: The checkpoint cannot be found, or the device not be had.
        """
        return self._recalled.respondent if self._recalled else self._found_out()

    def confirm(self) -> None:
        """Check, before the checkpoint is loaded, that the facts of an earlier run hold here.

        Raises:
            ModelError: They do not: answers that were found by them are of another machine.
        """
        if self._is_confirmed or self._recalled is None:
            return
        content = self._found_out(instead=True)
        if content != self._recalled.respondent:
            differ = sorted(name for name in content if content[name] != self._recalled.respondent.get(name))
            raise ModelError(
                f"{self._name}: kept answers are of another {' and '.join(differ)} than this run has now",
                "start the run again: kept answers of the other are left out then",
            )
        self._is_confirmed = True

    def recall(self, what: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Facts on the checkpoint: of an earlier run where there are any, else made now and kept.

        Args:
            what: All that determines the facts beside the checkpoint, the machine and the settings.
            make: Makes the facts, as values for JSON.
        """
        if self._store is None:
            return make()
        settings = _stated(self._settings, without=_INDECISIVE)
        stated = [what, self.content, settings, source_digest("runs", "statistics")]
        key = _key("facts", stated)
        kept = self._store.fact(key)
        if kept is None:
            self.confirm()
            kept = json.dumps(make()).encode()
            self._store.put_facts({key: kept}, self._name)
        facts: dict[str, Any] = json.loads(kept)
        return facts

    @cached_property
    def _recalled(self) -> _Facts | None:
        """The facts of an earlier run that hold now; None where some fact is not known."""
        if self._store is None or (key := self._place_key) is None:
            return None
        kept = self._store.fact(key)
        if kept is None or kept == _NOTHING:
            return None
        facts = _Facts(**json.loads(kept))
        precision = precision_flags() if "torch" in sys.modules else USUAL
        if facts.respondent["precision"] != precision:
            return None
        try:
            paths = [*map(Path, facts.digests)]
            self._assume(paths)
            known = known_digests(paths)
            unread = sum(state.size for state in map(file_state, paths) if state not in known)
            tell_reading(self._tell, unread, "computing the digest of")
            hold = facts.hold
        except OSError:
            return None
        return facts if hold else None

    def _found_out(self, *, instead: bool = False) -> dict[str, Any]:
        """The content, found out anew; the facts are kept for later runs.

        Args:
            instead: Whether facts of an earlier run are forgotten, where these cannot be kept.
        """
        files = self._held.files
        weights = (*files.weights, *files.adapter_weights)
        self._assume(weights)
        if len(known_digests(weights)) < len(weights):
            tell_reading(self._tell, files.weight_bytes, "reading and computing the digest of")
            if files.weight_bytes >= _LARGE and self._store is not None:
                self._digest_while_loading(files)
        content = respondent_of(self._held)
        if self._store is not None:
            self._keep(files, content, instead=instead)
        return content

    def _digest_while_loading(self, files: Files) -> None:
        with ThreadPoolExecutor(1) as pool:
            digest = pool.submit(content_digest, files)
            # Who asks for an answer hears why the checkpoint cannot be loaded.
            with suppress(LengthprobeError):
                self._held.checkpoint  # noqa: B018
            digest.result()

    def _assume(self, paths: Iterable[Path]) -> None:
        """Take over the digests of files that are in the state in which an earlier run read them."""
        if self._store is None:
            return
        for path in paths:
            state = file_state(path)
            kept = self._store.fact(_key("digest", state))
            if kept is not None:
                assume_digests({state: kept.decode()})

    def _keep(self, files: Files, content: dict[str, Any], *, instead: bool) -> None:
        """Keep the digests of the weights, and all facts."""
        if self._store is None:
            return
        weights = (*files.weights, *files.adapter_weights)
        facts = {_key("digest", state): digest.encode() for state, digest in known_digests(weights).items()}
        key = self._place_key
        if key is not None and self._is_lasting(files, content) and not files.is_changed:
            every = (*files.directories, *(path.parent for path in weights))
            folders = [folder for folder in dict.fromkeys(map(Path.absolute, every)) if folder.is_dir()]
            beside = {path for folder in folders for kind in _BESIDE for path in folder.glob(kind)}
            paths = sorted({*beside, *files_read(folders, code=True), *(path.absolute() for path in weights)})
            stated = _Facts(
                content,
                str(files.directory),
                files.weight_bytes,
                {str(folder): _names(folder) for folder in folders},
                {str(path): file_digest_of(path) for path in paths if path.is_file()},
            )
            facts[key] = json.dumps(asdict(stated)).encode()
        elif key is not None and instead:
            facts[key] = _NOTHING
        self._store.put_facts(facts, self._name)

    def _is_lasting(self, files: Files, content: dict[str, Any]) -> bool:
        """Whether the facts follow from the files and from all that is known of the machine without torch."""
        base_elsewhere = files.adapter is not None and _adapted(files.adapter) != files.directory
        # A driver that fails leaves the CPU to a checkpoint that has an accelerator otherwise.
        machine = machine_facts(self._settings.device_map) or {}
        no_driver = content["device"] == "cpu" and bool(machine.get("accelerators"))
        return not base_elsewhere and not no_driver

    @cached_property
    def _place_key(self) -> str | None:
        """The key of all that decides beside the files; None where that is not known."""
        # Found out once, before torch is imported: torch sets variables of the environment.
        settings = self._settings
        machine = machine_facts(settings.device_map)
        if machine is None or settings.allow_remote_code:
            return None
        source = self._source
        try:
            folder = source.path or _snapshot(source, settings)
            adapted = str(_adapted(folder))
        except (LengthprobeError, OSError):
            # Who locates the checkpoint hears why.
            return None
        place = [source.kind, str(folder.absolute()), source.file, adapted]
        stated = _stated(settings, without=CHANGE_NO_ANSWER - {"batch_size"})
        return _key("place", [place, stated, machine, source_digest("settings.py")])


def _adapted(folder: Path) -> Path | None:
    """The folder of an adapter's base; None for a whole model, and for a base on the hub."""
    from lengthprobe.checkpoints.adapters.directory import base_name
    from lengthprobe.checkpoints.catalog import resolve

    name = base_name(folder)
    return resolve(name, near=folder).path if name else None


def _snapshot(source: Source, settings: Settings) -> Path:
    from lengthprobe.checkpoints.disk.hub import snapshot

    return snapshot(source, settings)


def _stated(settings: Settings, without: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in asdict(settings).items() if name not in without}


def _names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def _key(kind: str, stated: object) -> str:
    return f"{kind} {sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()}"
