"""The published JSON Schema of report.json: what lengthprobe writes fits, and a wrong report does not."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from lengthprobe.reporting.ledger import SCHEMA, SCHEMA_ID, VERDICTS, WAIVED, Entry, Ledger
from lengthprobe.reporting.schema import report_schema
from lengthprobe.reporting.waiver import Waiver
from lengthprobe.settings import Settings
from lengthprobe.statistics.background import Fact
from lengthprobe.statistics.check import Beside, Check, Numbers, Relation
from lengthprobe.statistics.measure_key import MeasureKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INI = """
[pytest]
addopts = -p no:hypothesispytest -p no:anyio -p no:jaxtyping -p no:typeguard
lengthprobe_languages = en
lengthprobe_budget = 40
lengthprobe_cap = 30
lengthprobe_store = none
lengthprobe_waivers =
    is exact until {today}: a reason
    is near until {today}: a reason
"""
CLAIMS = """
import pytest
from lengthprobe import measures


@pytest.mark.claim(source="a paper", published={"en": 0.9})
def test_is_exact(probe, language, show_beside):
    show_beside(measures.raw_length_error(probe, language=language))
    assert measures.exact_match(probe, language=language) > 0.8


@pytest.mark.claim
def test_is_near(probe, base_probe, language):
    tuned = abs(measures.length_error(probe, language=language))
    assert tuned < abs(measures.length_error(base_probe, language=language))


@pytest.mark.claim
def test_is_above(probe, language):
    assert measures.length_error(probe, language=language) > 0


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_heads(probe, language, margins):
    swap = measures.number_swap(probe, component="late heads", language=language)
    assert measures.share(swap) > margins.smallest_share


@pytest.mark.claim(kind="finding")
def test_found(probe, report):
    report(measures.length_error(probe, language="en"), "a finding")


@pytest.mark.claim
def test_error(probe):
    raise OSError("no room")


@pytest.mark.claim(languages=["it"])
def test_skipped(probe):
    assert measures.exact_match(probe, language="it") > 0.8
"""


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The schema, in the way in which a reader uses a schema."""
    return Draft202012Validator(report_schema())


@pytest.fixture
def written(pytester: pytest.Pytester) -> Callable[..., dict[str, Any]]:
    """Return a function that judges a checkpoint, and returns report.json of the folder."""
    from lengthprobe.plugin.waivers import today

    pytester.makeini(INI.format(today=today()))
    pytester.makepyfile(test_claims=CLAIMS)

    def run(*args: str) -> dict[str, Any]:
        pytester.runpytest_subprocess("--lengthprobe-report=R", "--lengthprobe-json=out.json", *args)
        alone: dict[str, Any] = json.loads((pytester.path / "out.json").read_text())
        report: dict[str, Any] = json.loads((pytester.path / "R" / "report.json").read_text())
        assert {**report, "portraits": None} == {**alone, "portraits": None}
        return report

    return run


def test_schema_is_one(validator: Draft202012Validator) -> None:
    """Of draft 2020-12, with the version of the reports."""
    Draft202012Validator.check_schema(validator.schema)
    assert validator.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert validator.schema["$id"] == SCHEMA_ID
    assert validator.schema["properties"]["schema"] == {
        "const": SCHEMA,
        "description": "The version of this schema.",
    }


@pytest.mark.parametrize("model", ["tiny-it", "two-short", "attribution-without-cause", "counts-tokens"])
def test_reports_of_organisms_fit(
    written: Callable[..., dict[str, Any]], validator: Draft202012Validator, model: str
) -> None:
    """With every outcome, with figures, waivers, a base, an error, and a claim that was skipped."""
    report = written(
        f"--lengthprobe-model={model}", "-m", "requirement or finding", "--lengthprobe-base=tiny-base"
    )

    validator.validate(report)
    assert {"error", "skipped", "reported"} <= {claim["verdict"] for claim in report["claims"]}
    assert report["portraits"]
    if model == "two-short":
        assert report["totals"]["waived"] > 0


def test_report_of_a_session_that_ended_early_fits(
    written: Callable[..., dict[str, Any]], validator: Draft202012Validator
) -> None:
    """With claims that did not run."""
    report = written("--lengthprobe-model=two-short", "-x")

    validator.validate(report)
    assert report["missing"]
    assert report["interrupted"]


def test_report_without_any_checkpoint_fits(validator: Draft202012Validator) -> None:
    """As of a session in which no checkpoint could be loaded."""
    settings = json.loads(json.dumps(_settings()))
    report = Ledger().as_dict(settings) | {"named": {}, "not_run": []}
    report |= {"waivers": [], "seconds_a_prompt": None}

    validator.validate(report)


def _settings() -> dict[str, Any]:
    return asdict(Settings()) | {"margins": {"length_error": 0.5}}


@pytest.fixture(scope="module")
def right() -> dict[str, Any]:
    """Return a report with a broken claim."""
    numbers = Numbers(-2.0, -2.1, None, 300, 151, "words")
    relation = Relation("<", magnitude=True)
    key = MeasureKey("length_error", (), "m", "en")
    check = Check("e < 0.5", "broken", numbers, 0.5, relation=relation, measures=(key,))
    entry = Entry("t.py::t", "t", "T.", "", "requirement", "en", "", "broken", (check,))
    ledger = Ledger({entry.nodeid: entry}, collected={entry.nodeid: entry})
    made = ledger.as_dict(_settings()) | {"named": {}, "not_run": []}
    made |= {"waivers": [], "seconds_a_prompt": None}
    report: dict[str, Any] = json.loads(json.dumps(made))
    return report


class TestWrongReports:
    """A wrong report is refused."""

    def test_right_report_fits(self, right: dict[str, Any], validator: Draft202012Validator) -> None:
        """So that the faults below are those that are refused."""
        validator.validate(right)

    def test_further_field_is_no_fault(self, right: dict[str, Any], validator: Draft202012Validator) -> None:
        """A later version may say more."""
        claims = [right["claims"][0] | {"news": 1}]
        validator.validate(right | {"news": 1, "claims": claims})

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            (("schema",), 2),
            (("$schema",), "https://example.org/other"),
            (("totals", "broken"), -1),
            (("totals",), {"holds": 1}),
            (("claims",), {}),
            (("claims", 0, "verdict"), "passed"),
            (("claims", 0, "verdict"), "error"),
            (("claims", 0, "checks"), []),
            (("claims", 0, "kind"), "law"),
            (("claims", 0, "checks", 0, "mean"), "-2"),
            (("claims", 0, "checks", 0, "n"), 1.5),
            (("claims", 0, "checks", 0, "relation", "sign"), "=="),
            (("claims", 0, "checks", 0, "measures", 0, "options"), "2 heads"),
            (("claims", 0, "waiver"), {"until": "soon", "reason": "", "expired": False}),
            (("settings", "alpha"), 0),
            (("model",), {"name": "m"}),
            (("interrupted",), False),
        ],
        ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
    )
    def test_wrong_value_is_refused(
        self,
        right: dict[str, Any],
        validator: Draft202012Validator,
        place: tuple[str | int, ...],
        value: object,
    ) -> None:
        """Another type, an unknown word, an impossible number, or two fields that contradict each other."""
        wrong: Any = deepcopy(right)
        inside = wrong
        for step in place[:-1]:
            inside = inside[step]
        inside[place[-1]] = value

        with pytest.raises(ValidationError):
            validator.validate(wrong)

    def test_missing_field_is_refused(self, right: dict[str, Any], validator: Draft202012Validator) -> None:
        """Every field at the top is there in every report."""
        for name in right:
            with pytest.raises(ValidationError):
                validator.validate({key: value for key, value in right.items() if key != name})


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("claim", Entry),
        ("check", Check),
        ("beside", Beside),
        ("numbers", Numbers),
        ("measure", MeasureKey),
        ("waiver", Waiver),
    ],
)
def test_schema_names_every_field(validator: Draft202012Validator, name: str, kept: type) -> None:
    """A new field of a report gets its description in the schema."""
    described = validator.schema["$defs"][name]
    names = {field.name for field in fields(kept)} - {"numbers"}
    assert names <= set(described["properties"])
    assert set(described["required"]) == set(described["properties"])


def test_schema_knows_every_word(validator: Draft202012Validator) -> None:
    """The verdicts, and the totals by verdict."""
    known = validator.schema["$defs"]
    assert tuple(known["verdict"]["enum"]) == VERDICTS
    assert {*VERDICTS, WAIVED} < set(known["totals"]["required"])
    facts = known["check"]["properties"]["background"]["items"]
    assert [field.name for field in fields(Fact)] == facts["required"]


def test_command_line_can_check_a_report(tmp_path: Path) -> None:
    """The line of the documentation prints the schema."""
    line = [sys.executable, "-m", "lengthprobe.reporting.schema"]
    printed = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == report_schema()
