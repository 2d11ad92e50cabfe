"""The table of aliases."""

from __future__ import annotations

import re

import pytest

from lengthprobe.checkpoints.aliases import ALIASES, BY_REPO_ID


@pytest.mark.parametrize(
    ("tuned", "base"),
    [
        ("llama-3.1-8b-instruct", "llama-3.1-8b"),
        ("llama-3.1-70b-instruct", "llama-3.1-70b"),
        ("llama-3.2-1b-instruct", "llama-3.2-1b"),
        ("llama-3.2-3b-instruct", "llama-3.2-3b"),
        ("llama-3.3-70b-instruct", "llama-3.1-70b"),
        ("qwen-2.5-7b-instruct", "qwen-2.5-7b"),
        ("qwen-3-8b", "qwen-3-8b-base"),
        ("mistral-7b-instruct", "mistral-7b"),
        ("gemma-2-9b-it", "gemma-2-9b"),
        ("gemma-3-1b-it", "gemma-3-1b"),
    ],
)
def test_a_tuned_model_names_its_base(tuned: str, base: str) -> None:
    """The tuned model of every architecture names its base counterpart by alias."""
    assert ALIASES[tuned].base == base


def test_every_base_is_an_alias_of_a_base() -> None:
    """A base counterpart is an alias itself, and has no base."""
    bases = {alias.base for alias in ALIASES.values() if alias.base}
    assert {ALIASES[base].base for base in bases} == {None}


def test_every_alias_is_one_hub_id() -> None:
    """Aliases are lower-case names, hub ids have an owner, and none is listed twice."""
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in ALIASES)
    assert all(re.fullmatch(r"[\w-]+/[\w.-]+", alias.repo_id) for alias in ALIASES.values())
    assert len(BY_REPO_ID) == len(ALIASES)
