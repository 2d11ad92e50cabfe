"""Names of measures: a misspelt one is answered with the nearest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lengthprobe import measures
from lengthprobe.errors import MeasureError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("exact_mach", "exact_match"), ("lenght_error", "length_error"), ("runaway", "runaways")],
)
def test_misspelt_measure_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    """In two lines, as any error of lengthprobe's."""
    with pytest.raises(MeasureError, match=rf"^measures\.{typed}: no measure is called '{typed}'") as raised:
        getattr(measures, typed)
    assert raised.value.fix == f"did you mean {meant}?"


def test_name_like_none_is_answered_with_all() -> None:
    """Every measure is listed."""
    with pytest.raises(AttributeError) as raised:
        _ = measures.zzz  # type: ignore[attr-defined]
    assert str(raised.value).endswith(f"known: {', '.join(measures.__all__)}")


def test_it_is_a_missing_attribute() -> None:
    """Whoever asks whether there is a measure is told no; of Python's own names nothing is proposed."""
    assert not hasattr(measures, "exact_mach")
    assert getattr(measures, "exact_mach", None) is None
    with pytest.raises(AttributeError, match="has no attribute '__path'") as raised:
        getattr(measures, "__path")
    assert not isinstance(raised.value, MeasureError)


def test_a_module_that_nobody_has_read_is_found_all_the_same() -> None:
    """Python asks for the attribute before it looks for a module of the name."""
    code = "import lengthprobe.measures; from lengthprobe.measures import room"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cannot import name 'room'" in told.stderr
    code = code.replace("room", "per_response")
    subprocess.run([sys.executable, "-c", code], check=True)
