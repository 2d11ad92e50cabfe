"""Saving: the answers of a session as a saved run, with the whole budget of prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError, ReportError
from lengthprobe.plugin.options import option_value
from lengthprobe.plugin.saved_runs import is_checkpoint_name, runs_folder, start_of_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lengthprobe.plugin.outputs import SessionOutputs
    from lengthprobe.plugin.probes import Probes
    from lengthprobe.probe import Probe
    from lengthprobe.reporting.ledger import Ledger
    from lengthprobe.runs.packing import Attributions
    from lengthprobe.runs.writing import CheckpointAnswers
    from lengthprobe.task.prompts import Response


@dataclass(frozen=True, slots=True)
class Saving:
    """The place where a session is saved.

    Args:
        name: The name as typed.
        place: The folder of the run.
        replace: Whether a saved run there is replaced.
    """

    name: str
    place: Path
    replace: bool

    def save(
        self,
        outputs: SessionOutputs,
        ledger: Ledger,
        report: Callable[[], Mapping[str, Any]],
        probes: Probes,
    ) -> None:
        """Save the session, and tell the reader, of a problem too.

        Args:
            outputs: Takes the line for the reader, or the problem.
            ledger: The outcomes of the session.
            report: Gives the verdicts, as in a JSON report.
            probes: The probes of the session.
        """
        try:
            self._write(ledger, report, probes)
            outputs.written.append(f"run: saved as {self.name} in {self.place}")
        except LengthprobeError as error:
            outputs.problems.append(str(error))
        # No fault of a saved run is worth the verdicts of a session.
        except Exception as error:
            outputs.problems.append(
                f"the run was not saved as {self.name}: {type(error).__name__}: {error}; this is a fault of "
                "lengthprobe's: please tell its authors"
            )

    def _write(self, ledger: Ledger, report: Callable[[], Mapping[str, Any]], probes: Probes) -> None:
        """Save the session.

        Raises:
            LengthprobeError: The session cannot be saved; the message says why.
        """
        from lengthprobe import __version__
        from lengthprobe.runs.writing import write_run

        if ledger.interrupted or ledger.missing:
            raise ReportError(
                f"the run was not saved as {self.name}: not every claim ran",
                "run again; answers that are kept are not asked again (--lengthprobe-store)",
            )
        if not ledger.has_claims or "model" not in ledger.models:
            raise ReportError(
                f"the run was not saved as {self.name}: no claim asked the checkpoint anything",
                "select at least one claim",
            )
        settings = probes.settings
        traced = {entry.language for entry in ledger.entries.values() if entry.about == "mechanism"}
        answered = {}
        for role in ledger.models:
            probe = probes.whole(role)
            languages = settings.languages if role == "model" else probe.asked
            # Of a base or a reference asked few prompts, nothing is kept.
            if probe.subject.kept is None and languages:
                about = [language for language in languages if language in traced and role == "model"]
                answered[role] = answers_of(probe, languages, about)
        write_run(self.place, report(), answered, replace=self.replace, made_by=f"lengthprobe {__version__}")


def read_saving(config: pytest.Config) -> Saving | None:
    """The place where a session is to be saved, None where nobody asks for that.

    Raises:
        pytest.UsageError: The name is taken, or is no name of a run, or is a checkpoint's.
    """
    name = option_value(config, "save")
    replace = bool(config.getoption("lengthprobe_replace"))
    from lengthprobe.runs.places import is_path, place_of_run
    from lengthprobe.runs.writing import check_place

    try:
        if name is None:
            if replace:
                raise ReportError(
                    "--lengthprobe-replace: no run is named that could be replaced", "--lengthprobe-save=NAME"
                )
            return None
        place = place_of_run(name, runs_folder(config), start_of_path(config, "save"))
        if not is_path(name) and is_checkpoint_name(name):
            raise ReportError(
                f"--lengthprobe-save={name}: this is the name of a checkpoint, and as a reference the name "
                "would mean both",
                f"another name: --lengthprobe-save={name}-approved",
            )
        check_place(place, name, replace=replace)
    except LengthprobeError as error:
        raise pytest.UsageError(str(error)) from error
    return Saving(name, place, replace)


def answers_of(probe: Probe, languages: Sequence[str], traced: Sequence[str]) -> CheckpointAnswers:
    """The answers of a checkpoint to all prompts of its settings; answers that are missing are asked.

    Args:
        probe: The checkpoint.
        languages: The languages of the responses.
        traced: The languages of the attributions; none where the components cannot be measured.

    Raises:
        LengthprobeError: The checkpoint cannot be asked.
    """
    from lengthprobe.runs.writing import CheckpointAnswers

    if traced:
        probe.prepare(traced, traces=True)
    probe.prepare(languages)
    proof = probe.proof if traced else None
    measurable = proof is not None and proof.problem is None
    return CheckpointAnswers(
        probe.identity(),
        probe.form,
        proof,
        {language: _responses(probe, language, traced) for language in languages},
        {language: _attributions(probe, language) for language in traced} if measurable else {},
    )


def _responses(probe: Probe, language: str, traced: Sequence[str]) -> tuple[Response, ...]:
    """The responses in a language; attributions are of greedy responses, which are saved beside samples."""
    is_sampled = probe.settings.sampling is not None
    greedy = probe.greedy.responses(language) if is_sampled and language in traced else ()
    return (*probe.responses(language), *greedy)


def _attributions(probe: Probe, language: str) -> Attributions:
    """The attributions that claims on a regression of mechanism need: of CWA and of the number swap."""
    from lengthprobe.measures.attribution.number_swap import TARGET, number_swap_texts
    from lengthprobe.runs.packing import Attributions, forced_key

    traced = {each.response.prompt.id: each for each in probe.traces(language)}
    texts = number_swap_texts(probe, language)
    forced = probe.forced(texts, target=TARGET)
    keys = [forced_key(text, TARGET) for text in texts]
    return Attributions(probe.settings.counter, traced, dict(zip(keys, forced, strict=True)))
