"""A gate that is killed again and again loses no finished batch, doubles none, and has the same figures."""

from __future__ import annotations

import pytest

from benchmarks.kills import kill_gate


@pytest.mark.parametrize(("kills", "workers"), [(5, 0), (2, 4)])
def test_a_killed_gate_loses_nothing(tmp_path, kills, workers):
    """Alone, and with four processes on one store; `benchmarks/kills.py` kills more often."""
    outcome = kill_gate(tmp_path, kills=kills, workers=workers)

    assert outcome.kills >= 1
    assert outcome.kept > 10
    assert (outcome.twice, outcome.left, outcome.same) == (0, 0, True)
