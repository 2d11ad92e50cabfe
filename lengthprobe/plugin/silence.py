"""Silence: a claim is run, and nobody hears of it."""

from __future__ import annotations

import io
import logging
import pdb
import sys
import warnings
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


class PromptError(Exception):
    """A claim that nobody hears wants to ask its user."""


@contextmanager
def silence(*, prints: bool = True) -> Iterator[None]:
    """A block without warnings, log records and recorded verdicts; a debugger's prompt is an error.

    Args:
        prints: Whether prints are dropped too.

    Raises:
        PromptError: The code in the block calls `breakpoint`.
    """
    from lengthprobe.statistics.recording import record_nothing

    disabled, hooks = logging.root.manager.disable, (sys.breakpointhook, pdb.set_trace)
    nowhere = io.StringIO()
    with ExitStack() as silent:
        silent.enter_context(warnings.catch_warnings())
        silent.enter_context(record_nothing())
        if prints:
            silent.enter_context(redirect_stdout(nowhere))
            silent.enter_context(redirect_stderr(nowhere))
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        sys.breakpointhook = pdb.set_trace = _refuse
        try:
            yield
        finally:
            sys.breakpointhook, pdb.set_trace = hooks
            logging.disable(disabled)


def _refuse(*_given: object, **_more: object) -> NoReturn:
    raise PromptError
