"""Necessity: without the components that lead by CWA control goes, and without random ones it does less.

Presupposes control: a model that keeps to no length is broken at once, and nothing of it is cut.
"""

import pytest

from lengthprobe.measures import control_without, control_without_random


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_english_needs_its_heads(probe, language, margins):
    """In English, control falls more without the heads that lead by CWA than without random heads."""
    without = control_without(probe, language=language, kind="heads")
    without_random = control_without_random(probe, language=language, kind="heads")
    assert without_random - without > margins.necessity


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_italian_needs_its_mlp(probe, language, margins):
    """In Italian, control falls more without the MLP that leads by CWA than without another MLP."""
    without = control_without(probe, language=language, kind="mlps")
    without_random = control_without_random(probe, language=language, kind="mlps")
    assert without_random - without > margins.necessity
