"""The comparison of two saved runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.margins import Margins
from lengthprobe.review.changed_answers import KINDS, LOST, changed_lines
from lengthprobe.review.comparing import compare_runs
from lengthprobe.runs.saved import SavedRun, read_run


@pytest.fixture
def other(folder: Path, tmp_path: Path) -> Callable[..., SavedRun]:
    """Return a function that copies the run of tiny-it-2 with other facts in its identity or settings."""

    def changed(part: str, **facts: object) -> SavedRun:
        path = Path(shutil.copytree(folder / "step", tmp_path / "other"))
        content = json.loads((path / "run.json").read_text())
        place = (
            content["report"]["settings"] if part == "settings" else content["models"]["model"]["identity"]
        )
        place.update(facts)
        (path / "run.json").write_text(json.dumps(content))
        return read_run(path)

    return changed


def verdicts(comparison) -> dict[str, str]:
    """The verdict of each claim in each language."""
    return {name: entry.verdict for name, entry in comparison.ledger.entries.items()}


def test_run_against_itself_has_no_difference(approved: SavedRun) -> None:
    """The number of prompts may be too few to decide a share."""
    comparison = compare_runs(approved, approved, Margins())
    assert "broken" not in verdicts(comparison).values()
    assert len(verdicts(comparison)) == 23
    assert all(
        check.numbers.mean == 0 for entry in comparison.ledger.entries.values() for check in entry.checks
    )
    assert comparison.changed == {"en": ([], 40), "it": ([], 40)}


def test_short_answers_are_broken(short: SavedRun, approved: SavedRun) -> None:
    """Over the prompts that both runs hold."""
    comparison = compare_runs(short, approved, Margins())
    assert verdicts(comparison)["exact_match_has_not_fallen[en]"] == "broken"
    entry = comparison.ledger.entries["exact_match_has_not_fallen[en]"]
    assert entry.checks[0].numbers.n == 30
    assert entry.checks[0].expression == ("exact_match(short, en) - exact_match(approved, en) > -0.05")
    assert not comparison.all_hold
    assert comparison.notes == (
        "left out: claims about mechanism in en; no attributions in short",
        "left out: claims about mechanism in it; no attributions in short",
    )


def test_lost_answers_come_first(short: SavedRun, approved: SavedRun) -> None:
    """Then those that are farther from the other answer."""
    changed, n_prompts = compare_runs(short, approved, Margins()).changed["it"]
    kinds = [KINDS.index(answer.kind) for answer in changed]
    assert n_prompts == 30
    assert kinds == sorted(kinds)
    assert changed[0].kind == LOST


def test_answers_stand_side_by_side(short: SavedRun, approved: SavedRun) -> None:
    """The reference first; a limit says how to see the rest."""
    changed, n_prompts = compare_runs(short, approved, Margins()).changed["en"]
    lines = changed_lines(changed, n_prompts, "en", ("short", "approved"), 1)
    first = changed[0]
    assert lines == [
        "en: 30 of 30 answers differ: 30 no longer exact",
        f"  asked {first.ours.prompt.n_words}: {first.ours.prompt.text}",
        f"    approved  {first.n_theirs} words: {first.theirs.text}",
        f"    short     {first.n_ours} word{'s' * (first.n_ours > 1)}: {first.ours.text}",
        "  and 29 more: --answers=30 shows all",
    ]


def test_counter_of_both_sides_is_the_same(step: SavedRun, approved: SavedRun) -> None:
    """Answers are counted again; attributions cannot be, and the claim says so."""
    comparison = compare_runs(step, approved, Margins(), counter="whitespace")
    assert comparison.settings.counter == "whitespace"
    entries = comparison.ledger.entries
    assert entries["exact_match_has_not_fallen[en]"].checks
    assert entries["late_heads_have_not_weakened[en]"].verdict == "error"
    assert "--lengthprobe-counter=uax29" in entries["late_heads_have_not_weakened[en]"].message


@pytest.mark.parametrize(
    ("part", "facts", "told"),
    [
        ("identity", {"cap": 60}, r"at most 60 tokens, and here the cap is 30\n.*save approved again with"),
        ("settings", {"seed": 5}, r"seed 5, and here the seed is 0\n.*save approved again with"),
        ("settings", {"lengths": [3, 4]}, r"asks for 3-4 words, and here for 3-9"),
        ("identity", {"engine": "vllm"}, r"the engine: vllm in the saved run other, transformers here"),
        ("identity", {"thinking": "allow"}, r"thinking allow, and here thinking is off"),
        ("identity", {"system_prompt": "Hi."}, r"the system prompt 'Hi.', and here is no system prompt"),
        ("identity", {"ablation": {"zero": ["L3H1"]}}, r"the ablated components"),
    ],
)
def test_runs_asked_otherwise_are_refused(
    part: str, facts: dict[str, object], told: str, approved: SavedRun, other: Callable[..., SavedRun]
) -> None:
    """By name, with what to do."""
    with pytest.raises(SettingsError, match=told):
        compare_runs(approved, other(part, **facts), Margins())


def test_other_device_is_told(approved: SavedRun, other: Callable[..., SavedRun]) -> None:
    """And compared."""
    from lengthprobe.reporting.tables import notes

    comparison = compare_runs(approved, other("identity", device="NVIDIA H100"), Margins())
    assert any("differ in device NVIDIA H100 and cpu" in line for line in notes(comparison.ledger))


def test_more_prompts_than_are_held(short: SavedRun, approved: SavedRun) -> None:
    """The fix is an option of the command."""
    with pytest.raises(
        SettingsError, match=r"short holds 30 prompts in en .*, and 35 are asked.*\n.*: --budget=30"
    ):
        compare_runs(short, approved, Margins(), budget=35)


def test_no_language_in_common(approved: SavedRun) -> None:
    """Or a language that neither holds."""
    with pytest.raises(SettingsError, match="holds answers in en, it, and de is asked for"):
        compare_runs(approved, approved, Margins(), languages=["de"])
