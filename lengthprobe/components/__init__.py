"""Components of a checkpoint: architectures, names of heads and MLPs, and ablation."""
