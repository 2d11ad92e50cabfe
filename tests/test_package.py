"""The package's own face."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lengthprobe
from lengthprobe.checkpoints.catalog import base_of, resolve

HEAVY = ("torch", "transformers", "scipy", "numpy", "huggingface_hub", "matplotlib", "jinja2")


@pytest.mark.parametrize(
    "statement",
    [
        "import lengthprobe",
        "from lengthprobe import errors, load, count_words, __version__, Probe",
        "from lengthprobe import load; load('llama-3.1-8b')",
        "import lengthprobe.checkpoints.catalog as c; c.base_of(c.resolve('llama-3.1-8b-instruct'))",
    ],
)
def test_import_is_light(statement: str) -> None:
    """Importing the package, and naming a model, imports none of the heavy libraries."""
    code = f"import sys; {statement}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_public_names() -> None:
    """What the package offers is there by its name."""
    assert set(lengthprobe.__all__) <= set(dir(lengthprobe))
    assert all(getattr(lengthprobe, name) for name in lengthprobe.__all__)


def test_unknown_name() -> None:
    """What the package does not offer is an ordinary AttributeError."""
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        _ = lengthprobe.lode


@pytest.mark.parametrize("name", ["tiny-it", "tiny-it-2", "tiny-it-3"])
def test_base_of_the_fixture_models(name: str) -> None:
    """The healthy fixture models know their base."""
    assert base_of(resolve(name)) == "tiny-base"
