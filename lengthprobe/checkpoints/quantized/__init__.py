"""Quantized weights: formats, libraries and layers."""
