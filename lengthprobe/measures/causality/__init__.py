"""Measures of causality: each gives a number about the effect of ablating components."""
