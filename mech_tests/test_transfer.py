"""Transfer: whether what controls length in English does so in another language.

What is lost presupposes control in both languages; how much there is to lose is asked of any model.
"""

import pytest

from lengthprobe.measures import control, control_without, cwa, share


@pytest.mark.claim(source="arXiv:2509.02075", kind="finding", about="mechanism")
def test_english_heads_carry_over(probe, language, report):
    """The heads that lead by CWA in English control the length in this language too."""
    whole = control(probe, language=language)
    report(whole, "control in this language")
    report(whole - control_without(probe, language=language, found_in="en"), "lost without the English heads")
    report(share(cwa(probe, component="late heads", language=language)), "late heads' share of CWA")
