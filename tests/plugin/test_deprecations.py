"""A deprecation while a claim runs: whose it is decides who hears of it."""

from __future__ import annotations

import pytest

# A model whose library deprecates something of it with every step, as transformers does.
DEPRECATING = """
import functools
import warnings
import transformers

forward = transformers.LlamaForCausalLM.forward


@functools.wraps(forward)
def deprecated(self, *args, **kwargs):
    warnings.warn_explicit(
        "`something` is deprecated", {category}, "modeling.py", 1, module="transformers.models.llama.modeling"
    )
    return forward(self, *args, **kwargs)


def pytest_configure(config):
    transformers.LlamaForCausalLM.forward = deprecated


def pytest_unconfigure(config):
    transformers.LlamaForCausalLM.forward = forward
"""
OWN = '''
import warnings


@pytest.mark.claim
def test_answers_are_exact(probe):
    """Most answers have the words asked for."""
    warnings.warn("mine", DeprecationWarning)
    assert measures.exact_match(probe, language="en") > 0.5
'''


@pytest.mark.parametrize("category", ["FutureWarning", "DeprecationWarning"])
@pytest.mark.parametrize("ini", ["", "error"])
def test_of_a_dependency_is_no_news_to_a_user(project, ini, category):
    """It is neither printed nor an error, whatever the project makes of warnings."""
    project.ini(filterwarnings=ini)
    project.pytester.makeconftest(DEPRECATING.format(category=category))

    project.run().assert_outcomes(passed=1, warnings=0)


def test_of_the_claim_itself_reaches_its_author(project):
    """It is an error where the project makes errors of warnings."""
    project.ini(filterwarnings="error")
    project.claims(OWN)

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*DeprecationWarning: mine*"])
