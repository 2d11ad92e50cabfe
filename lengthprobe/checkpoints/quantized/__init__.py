"""Quantized weights: formats, the libraries that read them, layers that hold them."""
