"""The JSON Schema of report.json, for programs that read the file."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def report_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of report.json in this version of lengthprobe."""
    text = files("lengthprobe.reporting").joinpath("report.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


if __name__ == "__main__":
    print(json.dumps(report_schema(), indent=2))
