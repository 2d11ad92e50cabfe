"""Which layers of a model are late, and which are early."""


def late_layers(n_layers: int) -> range:
    """The last ⌈L/4⌉ layers (METHODS §3)."""
    return range(n_layers - -(-n_layers // 4), n_layers)


def early_layers(n_layers: int) -> range:
    """The first ⌊L/4⌋ layers, at least one (METHODS §3)."""
    return range(max(1, n_layers // 4))
