"""A partial scan: the answers so far, in a file. A later scan of the same checkpoint goes on from there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ReportError
from lengthprobe.reporting.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "scan.answers.json"
_SCHEMA = 1
# Fields of an identity that change no answer.
_INDECISIVE = ("name", "display_name", "kind", "repo_id", "commit", "split_batches", "budget", "thought")
_PARTS = ("responses", "answers", "foretold", "estimates", "cost")


@dataclass(slots=True)
class PartialScan:
    """Results so far: of the whole model, and of each component by its name.

    Args:
        asked: All settings that determine an answer (`scan_key`).
        path: The file; None to keep nothing beyond this process.
        responses: The responses of the whole model by prompt id, in the form of `asking.answers.as_list`.
        answers: The answers with a component ablated, by the component's name and prompt id: words, whether
            the answer ended, tokens.
        foretold: Whether a component's ablation would leave an answer exact, by the component's name and
            prompt id.
        estimates: The estimates of each component, by the ids of their prompts.
        cost: The steps of rows computed, by purpose.
    """

    asked: Mapping[str, Any]
    path: Path | None = None
    responses: dict[str, list[Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    foretold: dict[str, dict[str, bool]] = field(default_factory=dict)
    estimates: dict[str, dict[str, dict[str, float | None]]] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)

    def save(self) -> None:
        """Write all results: the file has either all of them or its old content.

        Raises:
            ReportError: The file cannot be written.
        """
        if self.path is None:
            return
        content = {"schema": _SCHEMA, "asked": self.asked, **{name: getattr(self, name) for name in _PARTS}}
        text = json.dumps({"digest": _digest(content), **content}, allow_nan=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, text + "\n")
        except OSError as error:
            raise ReportError(
                f"{self.path} cannot be written: {error.strerror or error}",
                "name a folder that can be written to: --report=DIR",
            ) from error

    def spend(self, what: str, steps: float) -> None:
        """Add to the cost."""
        self.cost[what] = self.cost.get(what, 0) + steps


def scan_key(identity: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """All settings that determine a scan's answers, in the form in which JSON returns them.

    Args:
        identity: The identity of the checkpoint, by `Identity.as_dict`.
        settings: Further settings of the scan.
    """
    decisive = {name: value for name, value in identity.items() if name not in _INDECISIVE}
    key: dict[str, Any] = json.loads(json.dumps({**decisive, **settings}))
    return key


def read_partial_scan(path: Path, asked: Mapping[str, Any]) -> PartialScan:
    """The results of an earlier scan in a file; empty without a file.

    Raises:
        ReportError: The file is damaged, or of a scan with other settings; the file is left unchanged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return PartialScan(asked, path)
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    try:
        content = json.loads(text)
        digest = content.pop("digest")
        schema, theirs = content["schema"], dict(content["asked"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, "it is not what a scan writes") from error
    if schema != _SCHEMA:
        raise ReportError(f"{path} is of another version of lengthprobe (schema {schema!r})", _another(path))
    if digest != _digest(content):
        raise _damaged(path, "its content is not what was written")
    if theirs != asked:
        differ = sorted(name for name in {*theirs, *asked} if theirs.get(name) != asked.get(name))
        raise ReportError(
            f"{path} is of a scan that differs in {', '.join(differ)}: whose answers are other answers",
            _another(path),
        )
    return PartialScan(asked, path, **{name: content[name] for name in _PARTS})


def _digest(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, why: str) -> ReportError:
    return ReportError(f"{path} is damaged ({why}), and was left as it is", _another(path))


def _another(path: Path) -> str:
    return f"another --report=DIR; or move {path.name} away, and the scan begins anew"
