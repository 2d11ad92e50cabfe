"""Specificity: what one language needs, the other and ordinary text do without."""

import pytest

from lengthprobe.measures import control, control_without, text_loss_rise

PAIR = ("en", "it")


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=PAIR)
def test_italian_does_without_the_english_heads(probe, margins):
    """Control in Italian does not fall without the heads that lead by CWA in English."""
    without = control_without(probe, language="it", kind="heads", found_in="en")
    assert control(probe, language="it") - without < margins.specificity


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=PAIR)
def test_english_does_without_the_italian_mlp(probe, margins):
    """Control in English does not fall without the MLP that leads by CWA in Italian."""
    without = control_without(probe, language="en", kind="mlps", found_in="it")
    assert control(probe, language="en") - without < margins.specificity


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("en",))
def test_english_text_does_without_the_heads(probe, language, margins):
    """Ordinary English text is not much less likely without the heads that lead by CWA."""
    assert text_loss_rise(probe, language=language, kind="heads") < margins.text_loss_rise


@pytest.mark.claim(source="lengthprobe", about="mechanism", languages=("it",))
def test_italian_text_does_without_the_mlp(probe, language, margins):
    """Ordinary Italian text is not much less likely without the MLP that leads by CWA."""
    assert text_loss_rise(probe, language=language, kind="mlps") < margins.text_loss_rise
