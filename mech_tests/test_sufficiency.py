"""Sufficiency: with every other component of the late layers cut, those that lead by CWA keep the control.

Presupposes control: a model that keeps to no length is broken at once, and nothing of it is cut.
"""

import pytest

from lengthprobe.measures import control, control_with_only


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_english_heads_suffice(probe, language, margins):
    """In English, the heads that lead by CWA keep at least half of the control alone in the late layers."""
    whole = control(probe, language=language)
    assert control_with_only(probe, language=language, kind="heads") > margins.control_kept * whole


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_italian_mlp_suffices(probe, language, margins):
    """In Italian, the MLP that leads by CWA keeps at least half of the control alone in the late layers."""
    whole = control(probe, language=language)
    assert control_with_only(probe, language=language, kind="mlps") > margins.control_kept * whole
