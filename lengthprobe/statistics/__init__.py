"""Certainty of a measurement: intervals over topics, estimates that compare, verdicts."""
