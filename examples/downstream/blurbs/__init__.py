"""The shop's requests for product texts."""


def request(product: str, n_words: int) -> str:
    """The request for a product text of a fixed number of words."""
    return f"Write exactly {n_words} words about {product}."
