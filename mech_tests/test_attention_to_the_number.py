"""Where the heads of highest CWA look; a finding, since looking is not yet reading.

Presupposes control in English: of a model that keeps to no length it says that there is none to explain.
"""

import pytest

from lengthprobe.measures import (
    attention_share_of_distractor,
    attention_share_of_number,
    attention_to_number,
    leading_components,
)


@pytest.mark.claim(source="lengthprobe", kind="finding", about="mechanism", languages=("en",))
def test_attention_to_the_number(probe, language, report):
    """How far the heads of highest CWA in English look at N more than at another number beside the prompt."""
    heads = leading_components(probe, language=language)
    report(attention_to_number(probe, language=language, heads=heads), "N less the other number")
    report(attention_share_of_number(probe, language=language, heads=heads), "on N")
    report(attention_share_of_distractor(probe, language=language, heads=heads), "on the other number")
