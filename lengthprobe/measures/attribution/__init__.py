"""Measures of attribution: one number each about which components wrote the responses."""
