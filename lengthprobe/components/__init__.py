"""What a checkpoint is made of: architectures, names of heads and MLPs, and ablation."""
