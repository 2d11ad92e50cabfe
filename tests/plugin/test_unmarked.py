"""A claim that measures components, and does not say so in its marker."""

from __future__ import annotations

import pytest

CLAIM = """
@pytest.mark.claim{marker}
def test_late_heads(probe):
    assert measures.exact_match(probe, language='en') > 0.5
    assert measures.share(measures.cwa(probe, component='late heads', language='en')) > 0.02
"""
TWO = (
    CLAIM.format(marker="")
    + """

@pytest.mark.claim
def test_final_mlp(probe):
    assert measures.share(measures.cwa(probe, component='final MLP', language='en')) < 0.9
"""
)


@pytest.mark.parametrize("ini", ["", "error"])
def test_is_told_what_to_write(project, ini):
    """Once, by name; its verdict is what it is, even where a project makes errors of warnings."""
    project.ini(filterwarnings=ini)
    project.claims(TWO)

    result = project.run()

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*test_claims.py::test_late_heads",
            (
                "*test_late_heads measures components and does not say so, so that * "
                "a second time (tiny-it in en), *"
            ),
            '*fix: @pytest.mark.claim(about="mechanism", *',
        ]
    )


def test_its_components_are_told_of(project):
    """The report says that they add up, as for any claim about components."""
    project.claims(CLAIM.format(marker=""))
    assert project.report()["model"]["components"]["n_layers"] == 5


def test_marked_claim_is_told_nothing(project):
    """Its attributions were captured while the responses were written."""
    project.claims(CLAIM.format(marker="(about='mechanism', languages=['en'])"))
    project.run().assert_outcomes(passed=1, warnings=0)
