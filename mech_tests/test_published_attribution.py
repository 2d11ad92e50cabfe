"""What the paper reports of the models that it studied; a departure is news, not a fault.

What is said of the tuned model presupposes control, what is said of the base does not.
"""

import pytest

from lengthprobe.measures import cwa, share

SOURCE = "arXiv:2509.02075"


@pytest.mark.claim(source=SOURCE, kind="replication", about="mechanism", languages=("en", "it"))
def test_final_mlp_is_italian(probe, margins):
    """The final MLP's CWA in English is below a tenth of its CWA in Italian."""
    english = cwa(probe, component="final MLP", language="en")
    italian = cwa(probe, component="final MLP", language="it")
    assert abs(english) < margins.english_final_mlp * italian


@pytest.mark.claim(source=SOURCE, kind="replication", about="mechanism", languages=("en", "it"))
def test_late_heads_are_attenuated_in_italian(probe, margins):
    """The late heads' CWA in Italian is below half of their CWA in English."""
    english = cwa(probe, component="late heads", language="en")
    italian = cwa(probe, component="late heads", language="it")
    assert abs(italian) < margins.italian_late_heads * english


@pytest.mark.claim(source=SOURCE, kind="replication", about="mechanism")
def test_base_late_heads_are_negative(probe, base_probe, language, margins, show_beside):
    """The base model's late heads raise the tokens that run on; the cap decides how far."""
    show_beside(cwa(base_probe, component="late heads", language=language, text_of=probe))
    assert share(cwa(base_probe, component="late heads", language=language)) < -margins.smallest_share


@pytest.mark.claim(source=SOURCE, kind="replication", about="mechanism", languages=("en",))
def test_late_heads_dip_at_three(probe, language, margins):
    """In English, a step's attribution to the late heads is lower at three words than at four to nine."""
    three = cwa(probe, component="late heads", language=language, lengths=[3], per_step=True)
    more = cwa(probe, component="late heads", language=language, lengths=range(4, 10), per_step=True)
    assert three - more < margins.attribution_dip


@pytest.mark.claim(source=SOURCE, kind="replication", about="mechanism", languages=("it",))
def test_final_mlp_dips_at_three(probe, language, margins):
    """In Italian, a step's attribution to the final MLP is lower at three words than at four to nine."""
    three = cwa(probe, component="final MLP", language=language, lengths=[3], per_step=True)
    more = cwa(probe, component="final MLP", language=language, lengths=range(4, 10), per_step=True)
    assert three - more < margins.attribution_dip
