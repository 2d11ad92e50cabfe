"""Scan: the components on which a model's length control depends, found without a full ablation of each."""
