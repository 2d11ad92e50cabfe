"""Specificity: what one language needs, the other and ordinary text do without.

Presupposes control in both languages: what keeps to no length has nothing to keep, and is broken at once.
"""

import pytest

from lengthprobe.measures import control, control_without, text_loss_rise

PAIR = ("en", "it")


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=PAIR)
def test_italian_does_without_the_english_heads(probe, margins):
    """Italian keeps nine tenths of its control without the heads that lead by CWA in English."""
    without = control_without(probe, language="it", kind="heads", found_in="en")
    assert without > margins.control_spared * control(probe, language="it")


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=PAIR)
def test_english_does_without_the_italian_mlp(probe, margins):
    """English keeps nine tenths of its control without the MLP that leads by CWA in Italian."""
    without = control_without(probe, language="en", kind="mlps", found_in="it")
    assert without > margins.control_spared * control(probe, language="en")


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_english_text_does_without_the_heads(probe, language, margins):
    """Ordinary English text is not much less likely without the heads that lead by CWA."""
    assert text_loss_rise(probe, language=language, kind="heads") < margins.text_loss_rise


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_italian_text_does_without_the_mlp(probe, language, margins):
    """Ordinary Italian text is not much less likely without the MLP that leads by CWA."""
    assert text_loss_rise(probe, language=language, kind="mlps") < margins.text_loss_rise
