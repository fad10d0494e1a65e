"""Exact counting and certification of binarized neural networks."""

__version__ = "0.1.0"
