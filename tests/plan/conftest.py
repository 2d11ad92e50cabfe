"""The made-up responses of the tests of measures."""

from tests.measures.conftest import answered

__all__ = ["answered"]
