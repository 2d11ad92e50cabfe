"""Short names of well-known checkpoints, each with the hub id and its base counterpart."""

from __future__ import annotations

from typing import NamedTuple


class Alias(NamedTuple):
    """A hub id, and the alias of its base model (None for a base, or without a known base)."""

    repo_id: str
    base: str | None


def _pair(base: str, base_id: str, tuned: str, tuned_id: str) -> dict[str, Alias]:
    return {base: Alias(base_id, None), tuned: Alias(tuned_id, base)}


def _known() -> dict[str, Alias]:
    known: dict[str, Alias] = {}
    for version, sizes in {"3.1": ("8B", "70B"), "3.2": ("1B", "3B")}.items():
        for size in sizes:
            name, repo_id = f"llama-{version}-{size.lower()}", f"meta-llama/Llama-{version}-{size}"
            known |= _pair(name, repo_id, f"{name}-instruct", f"{repo_id}-Instruct")
    # 3.3 was published tuned only; it comes from the 3.1 base.
    known["llama-3.3-70b-instruct"] = Alias("meta-llama/Llama-3.3-70B-Instruct", "llama-3.1-70b")
    for size in ("0.5B", "1.5B", "3B", "7B", "14B", "32B", "72B"):
        name, repo_id = f"qwen-2.5-{size.lower()}", f"Qwen/Qwen2.5-{size}"
        known |= _pair(name, repo_id, f"{name}-instruct", f"{repo_id}-Instruct")
    # Qwen 3 turns the habit round: the bare name is the tuned model.
    for size in ("0.6B", "1.7B", "4B", "8B", "14B", "30B-A3B"):
        name, repo_id = f"qwen-3-{size.lower()}", f"Qwen/Qwen3-{size}"
        known |= _pair(f"{name}-base", f"{repo_id}-Base", name, repo_id)
    known["qwen-3-32b"] = Alias("Qwen/Qwen3-32B", None)
    known |= _pair(
        "mistral-7b", "mistralai/Mistral-7B-v0.3", "mistral-7b-instruct", "mistralai/Mistral-7B-Instruct-v0.3"
    )
    known |= _pair(
        "mistral-nemo-12b",
        "mistralai/Mistral-Nemo-Base-2407",
        "mistral-nemo-12b-instruct",
        "mistralai/Mistral-Nemo-Instruct-2407",
    )
    known |= _pair(
        "mistral-small-24b",
        "mistralai/Mistral-Small-24B-Base-2501",
        "mistral-small-24b-instruct",
        "mistralai/Mistral-Small-24B-Instruct-2501",
    )
    for size in ("2b", "9b", "27b"):
        name, repo_id = f"gemma-2-{size}", f"google/gemma-2-{size}"
        known |= _pair(name, repo_id, f"{name}-it", f"{repo_id}-it")
    # The larger Gemma 3 also look at pictures, which lengthprobe does not load.
    known |= _pair("gemma-3-270m", "google/gemma-3-270m", "gemma-3-270m-it", "google/gemma-3-270m-it")
    known |= _pair("gemma-3-1b", "google/gemma-3-1b-pt", "gemma-3-1b-it", "google/gemma-3-1b-it")
    return known


ALIASES = _known()
BY_REPO_ID = {alias.repo_id: name for name, alias in ALIASES.items()}
