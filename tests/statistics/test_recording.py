"""Which verdicts were made, and whose truth was asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lengthprobe.measures import absolute_error
from lengthprobe.plugin.findings import report_of
from lengthprobe.statistics import recording as room
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.recording import record_asked_verdicts, record_made_verdicts

ZEROS = Estimate.from_observations(
    [Observation(str(at), str(at), 0.1 * (-1) ** at) for at in range(100)],
    name="error", unit="words", bounds=(-1.0, 1.0),
)  # fmt: skip


def test_made_are_those_of_comparisons_asked_or_not():
    """In order, each of them."""
    with record_made_verdicts() as made, record_asked_verdicts() as asked:
        assert ZEROS < 0.5
        kept = ZEROS < 0.6

    assert [one.expression for one in made] == ["error < 0.5", "error < 0.6"]
    assert made[1] is kept
    assert asked == made[:1]


def test_threads_are_heard():
    """What is compared or asked in another thread counts where the claim is."""
    with record_made_verdicts() as made, record_asked_verdicts() as asked, ThreadPoolExecutor() as pool:
        assert pool.submit(lambda: bool(ZEROS < 0.5)).result()
        other = threading.Thread(target=lambda: ZEROS < 0.6)
        other.start()
        other.join()

    assert ([len(made), len(asked)]) == [2, 1]


def test_what_lengthprobe_compares_for_itself_is_not_the_claims():
    """What a finding reports is made a verdict on the way."""
    with record_made_verdicts() as made, record_asked_verdicts() as asked:
        report_of(ZEROS, "near zero")

    assert made == asked == []


@pytest.mark.parametrize(("folder", "counts"), [("measures", 0), ("suites/behavior_tests", 1)])
def test_code_is_known_by_its_file(folder, counts):
    """A measure's comparison is its own; a shipped claim lies inside the package, and is a claim."""
    name = room._PACKAGE + f"{folder}/made_up.py"
    with record_made_verdicts() as made, record_asked_verdicts() as asked:
        exec(compile("bool(estimate < 0.5)", name, "exec"), {"estimate": ZEROS})

    assert (len(made), len(asked)) == (counts, counts)


def test_measures_compare_nothing_for_a_claim(tiny_it):
    """Whatever they do within."""
    with record_made_verdicts() as made:
        absolute_error(tiny_it, language="en")

    assert made == []
