"""What cutting components tells of a model beyond its verdict: none of it is a fault.

Each presupposes control: of a model that keeps to no length it says that there is none to explain.
"""

import pytest

from lengthprobe.measures import backup_effect, compensation, faithfulness, redundancy

SOURCE = "arXiv:2509.02075"
BEYOND = "beyond each alone; below 0: overlap, or no more to lose"


@pytest.mark.claim(source=SOURCE, kind="finding", about="mechanism")
def test_cwa_predicts_causes(probe, language, report):
    """Components of high CWA are those without which control goes."""
    report(faithfulness(probe, language=language), "1 in the same order, 0 in none")


@pytest.mark.claim(source=SOURCE, kind="finding", about="mechanism", languages=("en",))
def test_final_mlp_compensates_for_the_heads(probe, language, report):
    """In English, the final MLP takes over where the leading heads are cut."""
    report(compensation(probe, language=language), "its CWA less that of the whole model")


@pytest.mark.claim(source="lengthprobe", kind="finding", about="mechanism", languages=("en",))
def test_leading_heads_stand_in_for_each_other(probe, language, report):
    """In English, the leading heads cost more together than each alone, added up."""
    report(
        redundancy(probe, language=language, kind="heads"),
        "beyond each alone; below 0: overlap, or no more to lose",
    )


@pytest.mark.claim(source="lengthprobe", kind="finding", about="mechanism", languages=("en",))
def test_other_heads_back_the_leading_ones_up(probe, language, report):
    """In English, other heads take over where the leading heads are cut."""
    report(
        backup_effect(probe, language=language, kind="heads"),
        "beyond each alone; below 0: overlap, or no more to lose",
    )
