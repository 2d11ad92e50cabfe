"""An ordinary test of the shop's."""

from blurbs import request


def test_request_names_the_number():
    """The number of words stands in the request."""
    assert request("tea", 5) == "Write exactly 5 words about tea."
