"""Tokenizers: loaded, held against their files, and turned back into text."""
