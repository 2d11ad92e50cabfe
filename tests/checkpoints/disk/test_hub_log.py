"""What the hub's client logs."""

import logging

from lengthprobe.checkpoints.disk.hub_log import without_retries


def test_retries_are_not_shown_and_logging_is_as_before(caplog):
    """A warning of the client's is dropped within, and kept afterwards; an error is always kept."""
    client = logging.getLogger("huggingface_hub.utils._http")
    before = logging.getLogger("huggingface_hub").level
    with without_retries():
        client.warning("Retrying in 1s [Retry 1/5].")
        client.error("kept")
    assert caplog.messages == ["kept"]
    assert logging.getLogger("huggingface_hub").level == before
