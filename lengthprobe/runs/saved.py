"""Saved run: a folder with the answers, the verdicts and the identities of one session.

    approved/
        run.json                         format, date, checkpoints, settings and margins, verdicts, digests
        model/responses-en.json          a prompt and its response a line
        model/attributions-en.json       adherence of each token, for claims about mechanism
        model/attributions-en.safetensors

`run.json` has the SHA-256 of every other file. A reader imports no torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.answers import Proof
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.runs.identity import Identity
from lengthprobe.runs.packing import unpack_attributions, unpack_responses
from lengthprobe.runs.places import RUN_FILE
from lengthprobe.settings import Settings
from lengthprobe.statistics.forms import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TypeVar

    from lengthprobe.runs.packing import Attributions
    from lengthprobe.task.prompts import Response

    Read = TypeVar("Read")

FORMAT = 1
_LFS = b"version https://git-lfs"
_AGAIN = "save it again, or fetch its folder again (git checkout, the artifact of CI)"


@dataclass(frozen=True, slots=True, eq=False)
class SavedRun:
    """A saved run.

    Args:
        name: The name as typed.
        path: The folder.
        content: The content of `run.json`.
    """

    name: str
    path: Path
    content: Mapping[str, Any]

    @property
    def date(self) -> str:
        """The day on which the run was saved, as in 2026-11-28."""
        return str(self.content["saved"])[:10]

    @property
    def report(self) -> dict[str, Any]:
        """The verdicts, as in a JSON report."""
        return dict(self.content["report"])

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the checkpoints with answers."""
        return tuple(self.content["models"])

    @property
    def settings(self) -> Settings:
        """The settings of the session; settings that this version does not know are left out.

        Raises:
            SettingsError: The run is damaged.
        """
        kept, known = self.report["settings"], {each.name for each in fields(Settings)}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in kept.items()
            if name in known
        }
        return self.read(lambda: Settings(**values))

    @property
    def margins(self) -> dict[str, float]:
        """The margins of the session, by name."""
        return dict(self.report["settings"]["margins"])

    def identity(self, role: str = "model") -> Identity:
        """The identity of a checkpoint.

        Raises:
            SettingsError: The run is damaged.
        """
        return self.read(lambda: Identity.from_dict(self._model(role)["identity"]))

    def form(self, role: str = "model") -> Form:
        """The form in which a checkpoint was asked.

        Raises:
            SettingsError: The run is damaged.
        """
        kept = self._model(role)["form"]
        return self.read(lambda: Form(**{**kept, "ends": tuple(kept["ends"])}))

    def proof(self, role: str = "model") -> Proof | None:
        """The components of a checkpoint, None where no attribution was asked for."""
        kept = self._model(role)["proof"]
        return kept and self.read(lambda: Proof.from_bytes(json.dumps(kept).encode()))

    def languages(self, role: str = "model") -> dict[str, int]:
        """The languages with responses, each with the number of its prompts."""
        return {language: held["prompts"] for language, held in self._model(role)["languages"].items()}

    def traced_languages(self, role: str = "model") -> tuple[str, ...]:
        """The languages whose responses have attributions."""
        languages = self._model(role)["languages"]
        return tuple(language for language, held in languages.items() if held["attributions"])

    def responses(self, language: str, role: str = "model") -> tuple[Response, ...]:
        """The responses in a language, in the order of the prompt stream.

        Raises:
            SettingsError: The run is damaged.
        """
        self._model(role)
        file = responses_file(role, language)
        made = self._bytes(file)
        return self._read(file, lambda: unpack_responses(made.decode()))

    def attributions(self, language: str, role: str = "model") -> Attributions:
        """The attributions in a language.

        Raises:
            SettingsError: The run is damaged.
        """
        facts, arrays = attribution_files(role, language)
        text, made = self._bytes(facts), self._bytes(arrays)
        responses = self.responses(language, role)
        return self._read(arrays, lambda: unpack_attributions(text.decode(), made, responses))

    def read(self, read: Callable[[], Read]) -> Read:
        """The value that a function reads from `run.json`.

        Raises:
            SettingsError: The run is damaged: the function raises an error.
        """
        return self._read(RUN_FILE, read)

    def check_whole(self) -> None:
        """Check the digest of every file.

        Raises:
            SettingsError: A file is missing, or has other content than was saved.
        """
        for file in self.content["files"]:
            self._bytes(file)

    def _model(self, role: str) -> dict[str, Any]:
        if role not in self.content["models"]:
            raise SettingsError(
                f"the saved run {self.name} holds no answers of a {role}",
                f"it holds those of the {' and the '.join(self.roles)}",
            )
        found: dict[str, Any] = self.content["models"][role]
        return found

    def _bytes(self, file: str) -> bytes:
        """The content of a file, compared with its digest."""
        try:
            made = (self.path / file).read_bytes()
        except OSError as error:
            raise self._damaged(file, f"it cannot be read ({error.strerror or error})") from error
        if made.startswith(_LFS):
            raise SettingsError(
                f"the saved run {self.name} is not whole: {self.path / file} is a pointer of Git LFS",
                "fetch the file itself: git lfs pull",
            )
        if sha256(made).hexdigest() != self.content["files"].get(file):
            raise self._damaged(file, f"its {len(made)} bytes are not those that were saved")
        return made

    def _read(self, file: str, read: Callable[[], Read]) -> Read:
        try:
            return read()
        # Whatever a reader of a file that somebody has changed may stumble over.
        except Exception as error:
            raise self._damaged(file, f"{type(error).__name__}: {error}") from error

    def _damaged(self, file: str, why: str) -> SettingsError:
        return SettingsError(f"the saved run {self.name} is damaged: {self.path / file}: {why}", _AGAIN)


def read_run(path: Path, name: str | None = None) -> SavedRun:
    """The saved run in a folder; answers are read when they are wanted.

    Args:
        path: The folder, which has a `run.json`.
        name: The name as typed, by default the folder's.

    Raises:
        SettingsError: `run.json` cannot be read, or was written by a newer version of lengthprobe.
    """
    name = name or path.name
    file = path / RUN_FILE
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the saved run {name} is damaged: {file}: {error}", _AGAIN) from error
    number = content.get("format") if isinstance(content, dict) else None
    if not isinstance(number, int):
        raise SettingsError(
            f"{name} is no saved run: {file} states no format", "name a folder that --lengthprobe-save made"
        )
    if number > FORMAT:
        raise SettingsError(
            f"the saved run {name} was written by a newer lengthprobe ({content.get('made_by', 'unknown')}; "
            f"format {number}, and this version reads up to {FORMAT})",
            "install the newer version, or save the run again with this version",
        )
    run = SavedRun(name, path, content)
    run.read(lambda: _check(content))
    return run


def _check(content: Mapping[str, Any]) -> None:
    """Raise an error where a part of `run.json` is missing or is something else."""
    str(content["saved"]), dict(content["files"])
    for key in ("claims", "totals", "settings"):
        content["report"][key]
    for model in content["models"].values():
        dict(model["identity"]), dict(model["form"]), model["proof"]
        for held in model["languages"].values():
            int(held["prompts"]), bool(held["attributions"])
    if "model" not in content["models"]:
        raise ModelError("there are no answers of a model")


def responses_file(role: str, language: str) -> str:
    """The file with the responses of a checkpoint in a language, within the folder of a run."""
    return f"{role}/responses-{language}.json"


def attribution_files(role: str, language: str) -> tuple[str, str]:
    """The files with the attributions of a checkpoint in a language: facts and arrays."""
    return f"{role}/attributions-{language}.json", f"{role}/attributions-{language}.safetensors"
