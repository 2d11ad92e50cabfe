"""Scan: which components of a model its length control hangs on, found without ablating each one fully."""
