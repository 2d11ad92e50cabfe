"""Keys of measures, and what becomes of them in arithmetic."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from lengthprobe.measures.attribution.fall_of_share import fall_of_share
from lengthprobe.statistics.check import Beside, Relation
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.measure_key import MeasureKey, without_checkpoints
from lengthprobe.statistics.sample import Sample
from lengthprobe.statistics.share import share


def estimate(name, checkpoint="m", rival=None):
    """A measure in English of a checkpoint, which has a whole."""
    rows = [Observation(f"p{at}", f"t{at}", 5.0 + at % 3) for at in range(40)]
    wholes = tuple(Observation(one.prompt_id, one.topic, 30.0 + at % 2) for at, one in enumerate(rows))
    key = MeasureKey(name).of(checkpoint, "en", None)
    whole = Sample(wholes, None)
    return Estimate.from_observations(rows, name=key, unit="logits", bounds=None, whole=whole, rival=rival)


a, b = estimate("a"), estimate("b", "other")
A, B = (MeasureKey(name).of(checkpoint, "en", None) for name, checkpoint in (("a", "m"), ("b", "other")))


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        (MeasureKey("error"), "error"),
        (MeasureKey("error").of("m", "en", None), "error(m, en)"),
        (MeasureKey("error").of("m", "en", [3]), "error(m, en, N=3)"),
        (
            MeasureKey("cwa", ("late heads", "cap 40")).of("m", "it", {9, 4}),
            "cwa[late heads, cap 40](m, it, N=4–9)",
        ),
    ],
)
def test_reads_as_in_an_expression(key, printed):
    """The measure with its options, the checkpoint, the language and the span of the lengths."""
    assert str(key) == printed


def test_survives_json():
    """A key is the same value in another process."""
    key = MeasureKey("cwa", ("late heads",)).of("m", "it", [3, 4])
    assert MeasureKey.from_dict(json.loads(json.dumps(asdict(key)))) == key


def test_estimate_is_named_by_its_key():
    """A name that is no key is the name of a measure of nobody's."""
    rows = [Observation("p", "t", 1.0)]
    mine = Estimate.from_observations(rows, name="mine(m, en)", unit="words", bounds=None)

    assert (a.name, a.measures) == ("a(m, en)", (A,))
    assert (mine.name, mine.measures) == ("mine(m, en)", (MeasureKey("mine(m, en)"),))


@pytest.mark.parametrize(
    ("made", "keys"),
    [
        (-a, (A,)),
        (0.5 * a, (A,)),
        (a - b, (A, B)),
        (b + a, (B, A)),
        (a - b - a, (A, B)),
        (abs(a - b), (A, B)),
        (share(a), (A,)),
        (abs(share(-b)), (B,)),
        (fall_of_share(a, b), (A, B)),
    ],
    ids=lambda made: getattr(made, "name", ""),
)
def test_keys_survive_arithmetic(made, keys):
    """Sums, differences, multiples, magnitudes, shares and falls have the keys of all their terms, once."""
    assert made.measures == keys


def test_keys_are_those_under_the_other_word_counter():
    """A difference has a rival of the same measures."""
    both = estimate("a", rival=a) - b
    assert both.recounted is not both
    assert both.recounted.measures == both.measures == (A, B)


@pytest.mark.parametrize(
    ("verdict", "relation", "keys"),
    [
        (a > 0.5, Relation(">"), (A,)),
        (a <= b, Relation("<=", against="b(other, en)"), (A, B)),
        (abs(a) < 0.5, Relation("<", magnitude=True), (A,)),
        (a > abs(b), Relation("<", magnitude=True, against="a(m, en)"), (B, A)),
        (abs(a - b) > 0.1 * b, Relation(">", magnitude=True, against="0.1 * b(en)"), (A, B)),
        (share(a) > 0.02, Relation(">"), (A,)),
        (abs(share(a)) < 0.02, Relation("<", magnitude=True), (A,)),
        (fall_of_share(a, b) < 0.5, Relation("<"), (A, B)),
    ],
    ids=lambda verdict: getattr(verdict, "expression", ""),
)
def test_check_knows_how_it_compares_and_what(verdict, relation, keys):
    """Both sides of a comparison, without anybody reading what is printed."""
    check = verdict.as_check()
    assert (check.relation, set(check.measures)) == (relation, set(keys))


def test_only_a_checkpoint_that_stands_beside_is_left_out():
    """Not one whose name ends alike."""
    assert without_checkpoints("b(other, en)", [B], [A]) == "b(other, en)"
    assert without_checkpoints("b(other, en)", [B], [A, B]) == "b(en)"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (a, "a"),
        (0.5 * a, "0.5 * a(en)"),
        (a - b, "a(en) - b(en)"),
        (share(a), "share"),
        (fall_of_share(a, b), "fall_of_share"),
        (abs(a), "abs"),
    ],
    ids=lambda found: getattr(found, "name", ""),
)
def test_label_of_an_estimate_beside(found, shown):
    """One measure by its name alone, a share or a magnitude as that; what is made of measures, whole."""
    assert Beside.of(found).label == shown


def test_magnitude_beside_has_the_numbers_of_its_mean():
    """With their sign."""
    assert Beside.of(abs(-a)).numbers == Beside.of(-a).numbers
