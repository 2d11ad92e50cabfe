"""What figures show: means over a checkpoint's components that decide nothing."""
