"""The fixtures for claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from lengthprobe.plugin.claims import BESIDE, REPORTED
from lengthprobe.plugin.findings import report_of
from lengthprobe.plugin.run import RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from lengthprobe.margins import Margins
    from lengthprobe.probe import Probe
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.statistics.verdict import Verdict


@pytest.fixture(scope="session")
def probe(request: pytest.FixtureRequest) -> Probe:
    """The checkpoint under test; within a claim, on the prompts of the claim's look."""
    return _asked("model", request)


@pytest.fixture(scope="session")
def base_probe(request: pytest.FixtureRequest) -> Probe:
    """The base model, asked the same prompts; a claim with this fixture skips where no base is known."""
    return _asked("base", request)


@pytest.fixture(scope="session")
def reference_probe(request: pytest.FixtureRequest) -> Probe:
    """The reference, asked the same prompts; a claim with this fixture runs where a reference is named."""
    return _asked("reference", request)


@pytest.fixture(scope="session")
def margins(request: pytest.FixtureRequest) -> Margins:
    """The margins of the claims: `lengthprobe.margins`, with the changes of the ini file."""
    return request.config.stash[RUN].margins


@pytest.fixture
def language(request: pytest.FixtureRequest) -> NoReturn:
    """The language of a claim: a claim with this fixture runs once for each of the settings' languages."""
    pytest.fail(
        f"{request.node.nodeid} takes a language and is no claim: mark it @pytest.mark.claim", pytrace=False
    )


@pytest.fixture
def show_beside(request: pytest.FixtureRequest) -> Callable[[Estimate], None]:
    """A function that shows an estimate beside the claim's own and decides nothing.

    Where the source reports another quantity than the claim compares, show the source's quantity: the table
    puts the published figure next to the estimate.
    """
    return request.node.stash.setdefault(BESIDE, []).append  # type: ignore[no-any-return]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function by which a finding reports an estimate, with a few words on the meaning.

    A comparison (`estimate > 0`) can be reported too: the table shows the comparison with its margin, and
    nobody asks whether the comparison holds.
    """
    reported = request.node.stash.setdefault(REPORTED, [])

    def state(found: Comparable | Verdict, says: str = "") -> None:
        reported.append(report_of(found, says))

    return state


def _asked(role: str, request: pytest.FixtureRequest) -> Probe:
    """The probe in a role, once the questions of the session's claims have been asked."""
    from lengthprobe.plugin.looking import look_at_all

    found = request.config.stash[RUN].probes.ask(role, request.session.items)
    look_at_all(request.session)
    return found
