"""Deprecations of dependencies: news for the maintainers of lengthprobe, and for no user of the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_CATEGORIES = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
# The modules that a deprecation names when lengthprobe calls a dependency: the dependency, or the caller.
_MODULES = (
    "lengthprobe|transformers|torch|peft|accelerate|tokenizers|safetensors|huggingface_hub|numpy|scipy"
    "|matplotlib|jinja2|regex|uniseg|tqdm|filelock|tabulate"
)


def ignore_deprecations(item: pytest.Item) -> None:
    """Ignore deprecations of dependencies while a claim and its fixtures run.

    A deprecation triggered by the claim's own code names the author's module, and so reaches the author.
    """
    import pytest

    for category in _CATEGORIES:
        item.add_marker(pytest.mark.filterwarnings(rf"ignore::{category}:({_MODULES})(\..*)?$"))
