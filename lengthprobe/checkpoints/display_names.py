"""Display names: the name of a checkpoint in reports, short and unique in a run, whatever path was typed."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.adapters.directory import base_name
from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.shortening import shortened_names
from lengthprobe.errors import LengthprobeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from lengthprobe.checkpoints.catalog import Source

# Beside letters, digits and marks. All else means something in an expression, a table, or a test's id.
_KEPT = "._-+@:=~"
_NAMELESS = "checkpoint"
_COMMIT, _COMMIT_SHOWN = re.compile(r"[0-9a-f]{40}"), 7
# Where the hub's cache keeps a checkpoint: models--org--name/snapshots/<commit>.
_CACHED, _SNAPSHOTS = "models--", "snapshots"


@dataclass(frozen=True, slots=True)
class _Place:
    """The place that a name means.

    Args:
        where: The path or id, different for every place.
        segments: The segments of the path or id; never empty.
        before: Text before the segments: the base of an adapter.
        after: Text after the segments: a revision, a file.
    """

    where: str
    segments: tuple[str, ...]
    before: str = ""
    after: str = ""

    def spelled(self, count: int) -> str:
        """The display name with so many of the last segments, however long."""
        return f"{self.before}{'/'.join(self.segments[-count:])}{self.after}"


def display_names(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """The display name of each typed name.

    A path or a hub id is shown by its last segment, with as many segments before as make the name unique. An
    alias and a fixture model keep their name. A revision stands after an `@`. An adapter stands after its
    base: `base + adapter`. Long names are shortened. Two names of the same place have the same display name.
    The display names are the same in every process.

    Args:
        names: The names as typed.
        taken: Display names of other checkpoints.
    """
    places = {name: _place(name) for name in dict.fromkeys(names)}
    distinct = list(dict.fromkeys(places.values()))
    counts = dict.fromkeys(distinct, 1)
    while True:
        shown = {place: place.spelled(counts[place]) for place in distinct}
        uses = Counter([*shown.values(), *taken])
        unclear = [
            place for place in distinct if uses[shown[place]] > 1 and counts[place] < len(place.segments)
        ]
        if not unclear:
            break
        for unclear_place in unclear:
            counts[unclear_place] += 1
    # No segment tells these apart, so that more of them are of no use.
    shown |= {place: place.spelled(1) for place in distinct if uses[shown[place]] > 1}
    short = shortened_names([shown[place] for place in distinct], [place.where for place in distinct], taken)
    numbered = _numbered(short, taken)
    by_place = dict(zip(distinct, numbered, strict=True))
    return {name: by_place[place] for name, place in places.items()}


def display_name(name: str) -> str:
    """The display name of a single checkpoint."""
    return display_names([name])[name]


def _numbered(shown: Sequence[str], taken: Collection[str]) -> list[str]:
    """The names, with a number where an equal name comes before."""
    numbered: list[str] = []
    for name in shown:
        again, number = name, 1
        while again in numbered or again in taken:
            number += 1
            again = f"{name}#{number}"
        numbered.append(again)
    return numbered


def _place(name: str) -> _Place:
    try:
        source = resolve(name)
    except LengthprobeError:
        # Whoever loads it will say what is wrong with it.
        return _of_path(name)
    if source.path is None or source.kind == "fixture":
        return _of_id(source)
    place = _of_directory(source, source.path)
    if _cached(source.path) or _is_gguf(source):
        return place
    return replace(place, before=_base_of_adapter(source.path))


def _of_id(source: Source) -> _Place:
    """The place of a hub id, an alias, a fixture model: a revision after an `@`, a file after a colon."""
    file = "" if source.file is None else f":{source.file}"
    revision = "" if source.revision is None else f"@{source.revision}"
    name = source.name.removesuffix(file).removesuffix(revision)
    after = f"@{_short(source.revision)}" if source.revision else ""
    return _Place(source.name, tuple(map(_plain, name.split("/"))), after=after + _after_colon(source.file))


def _of_directory(source: Source, path: Path) -> _Place:
    """The place of a folder, or of a GGUF file in a folder, however typed."""
    cached = _cached(path)
    if cached is not None:
        where = os.path.join(cached.where, source.file or "")
        return replace(cached, where=where, after=cached.after + _after_colon(source.file))
    if _is_gguf(source):
        return _of_path(os.path.join(path, str(source.file)))
    return replace(_of_path(str(path)), after=_after_colon(source.file))


def _of_path(name: str) -> _Place:
    """The place of a path; for `.`, the place of the working directory."""
    path = os.path.abspath(os.path.expanduser(name))
    return _Place(path, tuple(_plain(segment) for segment in path.split(os.sep) if segment) or (_NAMELESS,))


def _cached(folder: Path) -> _Place | None:
    """The hub id and the commit of a checkpoint, from the path of its folder in the hub's cache."""
    path = os.path.abspath(os.path.expanduser(folder))
    *_, repo, snapshots, commit = ["", "", *path.split(os.sep)]
    if snapshots != _SNAPSHOTS or not repo.startswith(_CACHED):
        return None
    segments = tuple(map(_plain, repo.removeprefix(_CACHED).split("--")))
    return _Place(path, segments, after=f"@{_short(commit)}")


def _base_of_adapter(path: Path) -> str:
    """The text before the name of an adapter: the base, and a plus; empty for a whole model."""
    try:
        base = base_name(path)
    except (LengthprobeError, OSError):
        return ""
    if base is None:
        return ""
    try:
        source = resolve(base, near=path)
    except (LengthprobeError, OSError):
        # Trainers write a path of another machine.
        shown = _cached(Path(base)) or _of_path(base)
    else:
        named = source.path is None or source.kind == "fixture"
        shown = _of_id(source) if named else _of_directory(source, Path(str(source.path)))
    return f"{shown.spelled(1)} + "


def _is_gguf(source: Source) -> bool:
    """Whether the checkpoint is a single GGUF file."""
    return source.file is not None and source.file.endswith(".gguf")


def _after_colon(file: str | None) -> str:
    return "" if file is None else f":{_plain(file)}"


def _plain(text: str) -> str:
    """A segment with a hyphen for each run of characters that mean something where names are shown."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(character if _is_kept(character) else " " for character in composed)
    return "-".join(kept.split()) or _NAMELESS


def _is_kept(character: str) -> bool:
    return character in _KEPT or unicodedata.category(character)[0] in "LNM"


def _short(revision: str) -> str:
    """A revision, a commit by its first digits."""
    return revision[:_COMMIT_SHOWN] if _COMMIT.fullmatch(revision) else _plain(revision)
