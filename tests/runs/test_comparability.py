"""What compares with a saved run, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.runs.comparability import check_identities, check_settings, told_differences
from lengthprobe.runs.saved import SavedRun
from lengthprobe.settings import CHANGE_NO_ANSWER, Settings


@pytest.mark.parametrize(
    ("changes", "problem", "fix"),
    [
        ({"languages": ("en", "de")}, "holds answers in en, it, and de is asked for", "languages=en"),
        ({"languages": ("de",)}, "and de is asked for", "languages=en,it"),
        ({"budget": 41}, "holds 40 prompts in en and 40 prompts in it, and 41 are asked for", "budget=40"),
        ({"lengths": (3, 5)}, "asks for 3-9 words, and here for 3,5", "lengths=3-9"),
        ({"seed": 2}, "has prompts of seed 0, and here the seed is 2", "seed=0"),
        ({"cap": 50}, "has answers of at most 30 tokens, and here the cap is 50", "cap=30"),
        ({"thinking": "allow"}, "with thinking off, and here thinking is allow", "thinking=off"),
        (
            {"sampling": "temperature=0.7", "samples": 4},
            "with sampling greedy, and here sampling is temperature=0.7",
            "sampling=greedy",
        ),
        ({"prompt_form": "plain"}, "in chat form, and here the form is plain", "prompt-form=chat"),
        ({"system_prompt": "Hi."}, "with no system prompt, and here is the", "system-prompt=''"),
    ],
)
def test_other_settings_are_refused_by_name(
    changes: dict[str, object], problem: str, fix: str, approved: SavedRun
) -> None:
    """With the setting to type."""
    with pytest.raises(SettingsError) as refused:
        check_settings(approved, replace(approved.settings, **changes))
    assert problem in refused.value.problem
    assert refused.value.fix == f"--lengthprobe-{fix}"


def test_every_decisive_setting_is_compared() -> None:
    """A new setting has a place in this list, and in the comparison where it has to."""
    compared = {"languages", "lengths", "budget", "seed", "cap", "thinking", "prompt_form", "system_prompt"}
    compared |= {"sampling", "samples"}
    told = {"dtype", "device_map"}
    # The files that they let in are those of the identity.
    of_loading = {"allow_pickle", "allow_remote_code"}
    recounted = {"counter", "alpha", "batch_size", "across_forms", "early_looks"}
    assert set(Settings.__slots__) == compared | told | of_loading | recounted
    assert recounted <= CHANGE_NO_ANSWER


def test_several_differences_stand_together(approved: SavedRun) -> None:
    """In one message."""
    with pytest.raises(SettingsError, match=r"^the saved run approved has prompts .*; it has answers"):
        check_settings(approved, replace(approved.settings, seed=1, cap=31))


def test_what_can_be_read_otherwise_is_allowed(approved: SavedRun) -> None:
    """Fewer prompts, another counter, alpha, batch or device."""
    check_settings(
        approved,
        replace(
            approved.settings, budget=10, counter="characters", alpha=0.01, batch_size=2, dtype="bfloat16"
        ),
    )


def test_forms_may_be_allowed(approved: SavedRun) -> None:
    """As between two checkpoints."""
    check_settings(approved, replace(approved.settings, system_prompt="Hi.", across_forms=True))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"engine": "vllm"}, "the engine: transformers in the saved run approved, vllm here"),
        ({"words": "one-token"}, "the only kind of words allowed: none in the saved run"),
        ({"ablation": {"zero": ["L3H1"]}}, "the ablated components: none in the saved run"),
        ({"precision": {"float32 products": "tf32"}}, "float32 products of torch: none in the saved run"),
    ],
)
def test_other_runs_of_the_engine_are_refused(
    changes: dict[str, object], told: str, approved: SavedRun
) -> None:
    """By name, with both values."""
    saved = approved.identity().as_dict()
    check_identities("approved", saved, saved)
    with pytest.raises(SettingsError, match=told):
        check_identities("approved", saved, saved | changes)


def test_number_format_and_device_are_only_told(approved: SavedRun) -> None:
    """In words, for the reader of the table."""
    saved = approved.identity().as_dict()
    assert told_differences([saved, saved]) == []
    other = saved | {"dtype": "bfloat16", "device": "NVIDIA H100"}
    assert told_differences([saved, other]) == [
        "number format float32 and bfloat16",
        f"device {saved['device']} and NVIDIA H100",
    ]
