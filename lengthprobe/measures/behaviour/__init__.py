"""Measures of behaviour: each gives a number about a checkpoint's responses."""
