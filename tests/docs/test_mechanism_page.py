"""The page on reading what a model's parts do: its code prints what it shows, and its pictures are there."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from fixtures.pictures import PICTURES, SHOWN
from tests.docs.test_attribution_page import ROOT, run

PAGE = ROOT / "docs" / "mechanism.md"


def test_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block runs from the root of a clone without a warning, and prints what the page shows."""
    monkeypatch.chdir(ROOT)
    run(PAGE)


def test_pictures() -> None:
    """The page shows one of each model, each says in words what is seen, and each is a drawing."""
    shown = re.findall(r"!\[([^\]]+)\]\(pictures/([\w-]+)\.svg\)", PAGE.read_text(encoding="utf-8"))

    assert [name for _, name in shown] == list(SHOWN)
    for said, name in shown:
        assert name in said
        picture = ET.fromstring((PICTURES / f"{name}.svg").read_bytes())
        assert {SHOWN[name], name} <= {element.text for element in picture.iter()}
