"""Kept: what is written is read again, or refused and left as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from lengthprobe.errors import ReportError
from lengthprobe.probe import Probe
from lengthprobe.scan.partial_scan import NAME, PartialScan, read_partial_scan, scan_key
from lengthprobe.settings import Settings

ASKED = {"weights": "abc", "mode": "zero"}


def _kept(path: Path) -> PartialScan:
    kept = PartialScan(ASKED, path)
    kept.responses["p"] = [[1, 2], "a \u2028 \udcff text", "stop"]
    kept.answers["L0H1"] = {"p": [3, 1, 5]}
    kept.foretold["MLP0"] = {"p": True}
    kept.estimates["p q"] = {"L0H1": {"cwa": 0.1, "number_swap": None, "gradient": 1e-9}}
    kept.spend("finding", 3)
    kept.spend("finding", 4)
    return kept


def test_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Numbers to the last bit, and any text."""
    kept = _kept(tmp_path / "new" / NAME)
    kept.save()

    assert read_partial_scan(tmp_path / "new" / NAME, ASKED) == kept
    assert kept.cost == {"finding": 7}


def test_no_file_is_a_beginning(tmp_path: Path) -> None:
    """Nothing has been found, and nothing is written before something is."""
    assert read_partial_scan(tmp_path / NAME, ASKED) == PartialScan(ASKED, tmp_path / NAME)
    assert not list(tmp_path.iterdir())


def test_nowhere_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder."""
    monkeypatch.chdir(tmp_path)
    PartialScan(ASKED).save()
    assert not list(tmp_path.iterdir())


def test_name_and_budget_of_a_checkpoint_are_not_asked() -> None:
    """A checkpoint that is named otherwise is the same; one with other weights is not."""
    one, other = ({"name": name, "weights": "w", "lengths": (3, 4)} for name in ("./a", "/b/a"))

    assert scan_key(one, mode="zero") == scan_key(other, mode="zero")
    assert scan_key(one, mode="zero") != scan_key(one, mode="mean")
    assert scan_key(one)["lengths"] == [3, 4]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-20],
        lambda _text: "",
        lambda _text: "[]",
        lambda text: text.replace("[3, 1, 5]", "[4, 1, 5]"),
        lambda text: text.replace('"digest"', '"other"'),
    ],
    ids=["cut off", "empty", "no object", "another number", "no digest"],
)
def test_damaged_file_is_refused_and_left(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    """The message says what to do; nothing is lost."""
    path = tmp_path / NAME
    _kept(path).save()
    path.write_text(spoil(path.read_text()))
    before = path.read_bytes()

    with pytest.raises(ReportError, match="is damaged") as caught:
        read_partial_scan(path, ASKED)

    assert "--report=DIR" in caught.value.fix
    assert path.read_bytes() == before


def test_binary_file_is_refused(tmp_path: Path) -> None:
    """It is no text."""
    (tmp_path / NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReportError, match="is damaged"):
        read_partial_scan(tmp_path / NAME, ASKED)


def test_another_scan_s_file_is_refused(tmp_path: Path) -> None:
    """The message says in what they differ."""
    _kept(tmp_path / NAME).save()
    with pytest.raises(ReportError, match="differs in mode, seed"):
        read_partial_scan(tmp_path / NAME, {"weights": "abc", "mode": "mean", "seed": 1})


def test_another_version_s_file_is_refused(tmp_path: Path) -> None:
    """Whatever it holds."""
    (tmp_path / NAME).write_text(json.dumps({"digest": "", "schema": 99, "asked": {}}))
    with pytest.raises(ReportError, match="another version"):
        read_partial_scan(tmp_path / NAME, ASKED)


def test_file_is_there_whole_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the second is written leaves the first."""
    kept = _kept(tmp_path / NAME)
    kept.save()
    before = (tmp_path / NAME).read_bytes()
    kept.spend("finding", 1)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ReportError, match="No space left on device"):
        kept.save()

    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == before


def _fill_head(directory: Path) -> None:
    path = directory / "model.safetensors"
    weights = load_file(path)
    weights["lm_head.weight"][0] += 1
    save_file(weights, path, metadata={"format": "pt"})


def _state_norm(directory: Path) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rms_norm_eps": 0.5}))


def _lengthen_template(directory: Path) -> None:
    path = directory / "chat_template.jinja"
    path.write_text(path.read_text() + " ")


def _reformat_tokenizer(directory: Path) -> None:
    path = directory / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text())))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_fill_head, "weights"),
        (_state_norm, "config"),
        (_lengthen_template, "chat_template"),
        (_reformat_tokenizer, "tokenizer"),
    ],
)
def test_changed_checkpoint_in_the_same_place(
    copy_of: Callable[..., Path], tmp_path: Path, change: Callable[[Path], None], what: str
) -> None:
    """Answers of what lay in a folder before are not those of what lies there now."""
    directory = copy_of()

    def asked() -> dict[str, Any]:
        return scan_key(Probe(str(directory), Settings(device_map="cpu")).identity().as_dict())

    PartialScan(asked(), tmp_path / NAME).save()
    assert read_partial_scan(tmp_path / NAME, asked())
    change(directory)
    with pytest.raises(ReportError, match=rf"a scan that differs in {what}\b"):
        read_partial_scan(tmp_path / NAME, asked())
