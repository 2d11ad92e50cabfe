"""The short names of the options, which an installed plugin must not take from anybody else's project."""

import pytest

# The tests of the plugin run pytest on small projects.
pytest_plugins = ["pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --model, --base and --reference."""
    for name in ("model", "base", "reference"):
        parser.addoption(
            f"--{name}", dest=f"lengthprobe_{name}", metavar="NAME", help=f"--lengthprobe-{name}"
        )
