"""Margins: one place, a reason each, and a project's own in its ini."""

import copy
import inspect
import pickle
from dataclasses import fields

import pytest

from fixtures.matrix import claims
from lengthprobe.errors import SettingsError
from lengthprobe.margins import Margins, alpha_shares


def test_every_margin_has_a_kind_a_unit_and_a_reason():
    """No margin stands without saying what it is for."""
    for one in fields(Margins):
        assert one.metadata["kind"] in ("requirement", "mechanism", "replication", "regression")
        assert one.metadata["unit"], one.name
        assert one.metadata["reason"], one.name


def test_an_ini_line_replaces_one_margin_and_leaves_the_others():
    """`exact_match = 0.9` changes that margin alone, and is reported as a change."""
    margins = Margins().overridden(["", "exact_match = 0.9"])
    assert margins.exact_match == 0.9
    assert margins.changed() == {"exact_match": 0.9}


def test_an_unknown_margin_is_refused_with_the_nearest():
    """A slip in the name says which margin was meant."""
    with pytest.raises(SettingsError, match="exact_mach") as caught:
        Margins().overridden(["exact_mach = 0.9"])
    assert caught.value.fix == "did you mean exact_match?"


def test_a_margin_that_a_claim_misspells_is_named():
    """The message has the nearest, and says that a claim can have a number of its own."""
    with pytest.raises(SettingsError, match=r"margins\.lenght_error: no margin") as caught:
        Margins().lenght_error  # noqa: B018
    assert caught.value.fix.startswith("did you mean length_error? A claim of your own")


def test_a_margin_that_is_like_no_other_is_answered_with_all():
    """There is nothing nearer to offer."""
    with pytest.raises(SettingsError) as caught:
        Margins().zzzzzz  # noqa: B018
    assert caught.value.fix.startswith("known: length_error, exact_match, ")


def test_a_missing_margin_is_a_missing_attribute():
    """So `hasattr` is false, and margins can be copied and sent to another process."""
    margins = Margins(exact_match=0.9)
    assert not hasattr(margins, "lenght_error")
    assert copy.deepcopy(margins) == margins == pickle.loads(pickle.dumps(margins))


@pytest.mark.parametrize(
    "line", ["exact_match", "exact_match = much", "exact_match = nan", "exact_match = inf"]
)
def test_a_margin_that_is_no_number_is_refused(line):
    """What cannot be compared with is refused, and the line to write is shown."""
    with pytest.raises(SettingsError, match="gives no number") as caught:
        Margins().overridden([line])
    assert caught.value.fix == "exact_match = 0.8"


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("runaways = 5", "runaways = 0.05"),
        ("exact_match = 80", "exact_match = 0.8"),
        ("exact_match_fall = -0.05", "exact_match_fall = 0.05"),
        ("length_error = -1", "length_error = 0.5"),
        ("length_error = 11", "length_error = 0.5"),
        ("length_error = 10", "length_error = 0.5"),
        ("length_error = 3", "length_error = 0.5"),
        ("length_error_rise = 4", "length_error_rise = 0.25"),
        ("gain_over_base = 10", "gain_over_base = 1"),
        ("base_length_error = 11", "base_length_error = 5"),
        ("exact_match = 1", "exact_match = 0.99"),
        ("exact_match = 100", "exact_match = 0.99"),
        ("exact_match = 5", "exact_match = 0.8"),
        ("exact_match = 1000", "exact_match = 0.8"),
        ("runaways = 1", "runaways = 0.05"),
        ("runaways = 95", "runaways = 0.05"),
        ("smallest_share = 1", "smallest_share = 0.02"),
        ("dip_at_three = -1", "dip_at_three = 0"),
    ],
)
def test_a_margin_that_decides_nothing_is_refused(line, fix):
    """A share in per cent or a negative margin would make a claim that always holds, or never."""
    with pytest.raises(SettingsError, match="can decide nothing") as caught:
        Margins().overridden([line])
    assert caught.value.fix == fix


def test_a_margin_on_an_error_is_below_where_errors_are_winsorised():
    """A mean of winsorised errors never lies beyond, so that such a claim would hold of any model."""
    with pytest.raises(SettingsError, match="errors are winsorised at 3 words"):
        Margins().overridden(["length_error = 3"])
    assert Margins().overridden(["length_error = 2.9"]).length_error == 2.9


@pytest.mark.parametrize("second", ["exact_match = 0.95", "exact_match = 0.9", "  exact_match=0.9"])
def test_a_margin_that_is_stated_twice_is_refused(second):
    """Which of two lines counts is nothing to guess, even where they agree."""
    with pytest.raises(SettingsError, match=r"exact_match stands twice: 0\.9 and") as caught:
        Margins().overridden(["exact_match = 0.9", "runaways = 0.1", second])
    assert caught.value.fix.startswith("keep one of the two lines: exact_match = ")


@pytest.mark.parametrize("name", ["exact_match", "runaways", "length_error", "dip_at_three"])
@pytest.mark.parametrize("value", ["1e-400", "1e-300", "0.00000000001", "-1e-400", "1E-9"])
def test_a_margin_too_small_for_any_answers_is_refused(name, value):
    """A number that becomes 0, or that no budget could tell from 0, is no margin."""
    with pytest.raises(SettingsError, match=f"{name} = {value} is too small"):
        Margins().overridden([f"{name} = {value}"])


@pytest.mark.parametrize("value", ["0", "0.0", "0e5", "-0"])
def test_a_margin_of_zero_is_one(value):
    """Zero is what is written, and is kept."""
    assert Margins().overridden([f"dip_at_three = {value}"]).dip_at_three == 0


@pytest.mark.parametrize("name", [one.name for one in fields(Margins)])
@pytest.mark.parametrize("value", ["", "x", "1e-400", "-3", "1", "7", "80", "100", "1e9"])
def test_the_line_that_is_advised_is_accepted(name, value):
    """Whatever was refused, the line to write is not refused in turn."""
    try:
        Margins().overridden([f"{name} = {value}"])
    except SettingsError as error:
        Margins().overridden([error.fix])


@pytest.mark.parametrize(
    ("n_languages", "reference", "of_behaviour", "of_mechanism"),
    [(2, False, 14, 17), (2, True, 28, 26), (1, False, 7, 17)],
)
def test_the_shares_of_alpha_are_the_requirements_of_every_language(
    n_languages, reference, of_behaviour, of_mechanism
):
    """Seven requirements in each language, nine of attribution, eight of causes; and regressions."""
    found = alpha_shares(n_languages, reference=reference)
    assert (found.behaviour, found.mechanism) == (of_behaviour / 0.75, of_mechanism / 0.25)


@pytest.mark.parametrize("reference", [False, True])
def test_the_checks_spend_alpha_together(reference):
    """What all checks together may call broken that is not is alpha."""
    found = alpha_shares(3, reference=reference)
    kinds = ("requirement", "mechanism", "regression")[: 2 + reference]
    gating = [one.metadata["checks"] for one in fields(Margins) if one.metadata["kind"] in kinds]
    shares = [3 / found.behaviour if one is None else one / found.mechanism for one in gating]
    assert sum(shares) == pytest.approx(1)


def test_the_mechanism_is_counted_as_often_as_it_is_claimed():
    """A claim about a component that is added without being counted would be called broken too readily."""
    marks = [
        mark.kwargs
        | {
            "regression": "reference_probe" in inspect.signature(claim).parameters,
            "once": "language" not in inspect.signature(claim).parameters,
        }
        for claim in claims().values()
        for mark in claim.pytestmark
        if mark.kwargs.get("about") == "mechanism" and "kind" not in mark.kwargs
    ]
    assert all(mark["once"] or len(mark["languages"]) == 1 for mark in marks)
    alone, beside = (alpha_shares(1, reference=reference).mechanism / 4 for reference in (False, True))
    assert sum(not mark["regression"] for mark in marks) == alone
    assert sum(mark["regression"] for mark in marks) == beside - alone
