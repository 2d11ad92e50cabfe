"""Measures of causality: one number each about what ablating components does."""
