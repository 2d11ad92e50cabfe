"""Values for figures: means over a checkpoint's components, which decide nothing."""
