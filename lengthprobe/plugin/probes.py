"""The probes of a session: each checkpoint is loaded once, and asked once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.margins import alpha_shares
from lengthprobe.plugin.display_names import shown_name
from lengthprobe.plugin.kept_answers import store_of
from lengthprobe.plugin.lineage import lineage, lineage_by_name, lineage_option
from lengthprobe.plugin.markers import claim_subject, is_claim, needed_languages, takes
from lengthprobe.plugin.options import name_in_role
from lengthprobe.plugin.progress import progress_of
from lengthprobe.plugin.saved_runs import reference_run
from lengthprobe.statistics.looks import planned_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lengthprobe.asking.sharing import Exchange
    from lengthprobe.probe import Probe
    from lengthprobe.settings import Settings
    from lengthprobe.statistics.looks import PlannedLook
    from lengthprobe.task.prompts import Response


class Probes:
    """Makes the probe of each role when a claim first wants it.

    Args:
        config: Names the checkpoints.
        settings: Which prompts are asked, and how.
        exchange: How processes share the work, None for a single process.

    `problems` holds messages for the end of the run which concern no claim, and fail the run; `notes` holds
    messages which do not.
    """

    def __init__(self, config: pytest.Config, settings: Settings, exchange: Exchange | None) -> None:
        self._config = config
        self.settings = settings
        self._exchange = exchange
        self._probes: dict[str, Probe] = {}
        self._identities: dict[str, dict[str, Any]] = {}
        self._roles: dict[str, str] = {}
        self._traced: dict[str, list[str]] = {}
        # The roles for which a checkpoint was prepared.
        self._prepared: set[tuple[str, ...]] = set()
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._store = store_of(config, self.notes.append)

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def name(self, role: str) -> str | None:
        """The name of the checkpoint in a role, None where the role has no checkpoint.

        Raises:
            LengthprobeError: The name of the checkpoint under test means nothing.
        """
        name = name_in_role(self._config, role)
        tested = name_in_role(self._config, "model")
        if name is None and role == "base" and tested is not None:
            from lengthprobe.checkpoints.catalog import base_of, resolve

            name = base_of(resolve(tested))
        return name

    def ask(self, role: str, items: Sequence[pytest.Item], look: PlannedLook | None = None) -> Probe:
        """The probe in a role, with the responses that the session's claims need first.

        Args:
            role: `model`, `base` or `reference`.
            items: The tests of the session.
            look: The look of a claim, None for the whole budget.

        Raises:
            LengthprobeError: No checkpoint is named, or the checkpoint cannot be loaded or asked.
        """
        name = self.name(role)
        if name is None and role == "base":
            pytest.skip(
                "needs the base model, which neither alias nor model card tells: --lengthprobe-base=NAME"
            )
        if name is None:
            raise SettingsError(f"no {role} is named", f"--lengthprobe-{role}=NAME")
        probe, self._roles[role] = self._of(name), name
        self._prepare(probe, items, self._roles_of(name))
        if name not in self._identities:
            self._identities[name] = self._identity(probe) | self._lineage(name)
        if role == "reference":
            self._check_run(name)
        # A base seldom has the template of the tuned checkpoint, and may be compared across forms.
        probe = probe if look is None else probe.at_look(look)
        return probe.across_forms().in_role(role) if role == "base" else probe.in_role(role)

    def whole(self, role: str) -> Probe:
        """The probe in a role, to be asked every prompt of the settings."""
        return self._of(str(self.name(role)))

    def prepare(self, items: Sequence[pytest.Item], look: PlannedLook) -> None:
        """Ask the prompts of a look after the first for some claims, of the checkpoints asked before.

        Raises:
            LengthprobeError: A checkpoint cannot be asked.
        """
        if look == planned_looks(self.settings)[0]:
            return
        for name in dict.fromkeys(self._roles.values()):
            probe, roles = self._probes[name], self._roles_of(name)
            running = [item for item in items if takes(item, roles)]
            if self._languages(running):
                self._ask_for(probe.at_look(look), running, traces=name in self._traced)

    @property
    def asked_again(self) -> tuple[tuple[str, str], ...]:
        """The checkpoints and languages whose prompts were answered a second time, for their attributions."""
        return tuple(again for probe in self._probes.values() for again in probe.asked_again)

    def identities(self, roles: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Facts for the report on the checkpoints in some roles, as far as they have been asked."""
        found = {}
        for role in roles:
            name = self._roles.get(role)
            if name in self._identities:
                probe = self._probes[name]
                responses = self._responses(probe)
                # Later questions may have changed these values since the identity was found out.
                found[role] = self._identities[name] | {
                    "split_batches": probe.split_batches,
                    "cut_off": {language: _cut_off(given) for language, given in responses.items()},
                    "unfinished_thoughts": _unfinished_thoughts(responses),
                    "components": _components(probe) if name in self._traced or probe.asked_again else None,
                }
        return found

    def traced(self, roles: Sequence[str]) -> dict[str, tuple[Probe, list[str]]]:
        """The checkpoints by role whose contributions of components are captured, each with its languages."""
        names = {role: self._roles.get(role, "") for role in roles}
        return {
            role: (self._probes[name], self._traced[name])
            for role, name in names.items()
            if name in self._traced
        }

    def shared(self, key: str, make: Callable[[str], bytes]) -> dict[str, Any]:
        """The values in the JSON that a single process makes for all processes of the session."""
        made = self._exchange.gather([key], make)[key] if self._exchange else make(key)
        found: dict[str, Any] = json.loads(made)
        return found

    def _prepare(self, probe: Probe, items: Sequence[pytest.Item], roles: tuple[str, ...]) -> None:
        """Ask a checkpoint, once, in the languages that the session's tests need in some roles.

        Claims that are judged at looks need the prompts of the first look, other tests every prompt. The
        contributions of the components are captured where any of these tests is about the mechanism.
        """
        from lengthprobe.plugin.looking import is_looked_at

        if roles in self._prepared:
            return
        running = [item for item in items if takes(item, roles)]
        traces = any(
            is_claim(item) and claim_subject(item) == "mechanism" and self._languages([item])
            for item in running
        )
        first = planned_looks(self.settings)[0]
        languages = self._ask_for(probe.at_look(first), running, traces=traces)
        at_once = [item for item in running if not is_looked_at(item)]
        if self._languages(at_once) and first.prompts < self.settings.budget:
            self._ask_for(probe, at_once, traces=traces)
        if traces and languages:
            self._traced[probe.source.name] = languages
        self._prepared.add(roles)

    def _ask_for(self, probe: Probe, items: Sequence[pytest.Item], *, traces: bool) -> list[str]:
        """Ask a checkpoint the prompts that some tests need; give the languages with attributions, if any.

        Where responses are drawn, claims about mechanism need greedy responses, and the others samples.
        """
        if probe.settings.sampling is None:
            languages = self._languages(items)
            probe.prepare(languages, traces=traces)
            return languages
        greedy = [item for item in items if is_claim(item) and claim_subject(item) == "mechanism"]
        probe.prepare(self._languages([item for item in items if item not in greedy]))
        languages = self._languages(greedy)
        probe.greedy.prepare(languages, traces=traces)
        return languages

    def _of(self, name: str) -> Probe:
        """The probe of a checkpoint or of a saved run, made once."""
        if name not in self._probes:
            self._probes[name] = self._make(name)
        return self._probes[name]

    def _check_run(self, name: str) -> None:
        """Refuse to compare with a saved run that was run otherwise; a live reference is run alike."""
        tested = name_in_role(self._config, "model")
        if tested is not None and reference_run(self._config, name) is not None:
            from lengthprobe.runs.comparability import check_identities

            check_identities(name, self._identities[name], self._identity(self._of(tested)))

    def _roles_of(self, name: str) -> tuple[str, ...]:
        """The roles of a checkpoint."""
        return tuple(role for role, its in self._roles.items() if its == name)

    def _languages(self, items: Sequence[pytest.Item]) -> list[str]:
        """The languages that some tests need, where the settings have all languages of a test."""
        known = self.settings.languages
        needs = [{*needed_languages(item)} for item in items]
        wanted = {language for languages in needs if languages <= {*known} for language in languages}
        return [language for language in known if language in wanted]

    def _responses(self, probe: Probe) -> dict[str, Sequence[Response]]:
        """The responses in each language, up to the last look whose prompts were asked."""
        found: dict[str, Sequence[Response]] = {}
        # Samples stand before greedy responses to the same prompts.
        for whole in dict.fromkeys((probe.greedy, probe)):
            for look in planned_looks(self.settings):
                view = whole.at_look(look)
                found |= {language: view.responses(language) for language in view.asked}
        return found

    def _make(self, name: str) -> Probe:
        from lengthprobe.probe import Probe
        from lengthprobe.runs.comparability import drawn_as_saved
        from lengthprobe.runs.saved_engine import SavedEngine

        shown, run = shown_name(self._config, name), reference_run(self._config, name)
        progress = progress_of(self._config, shown, getattr(self._exchange, "directory", None))
        return Probe(
            name,
            self.settings if run is None else drawn_as_saved(run, self.settings),
            alpha_shares=alpha_shares(
                len(self.settings.languages), reference=name_in_role(self._config, "reference") is not None
            ),
            exchange=self._exchange,
            store=self._store,
            progress=progress if run is None else None,
            display_name=shown,
            kept=None if run is None else SavedEngine(run, self.settings, display_name=shown),
        )

    def _lineage(self, name: str) -> dict[str, Any]:
        """A checkpoint's lineage, for the report: the option speaks of the checkpoint under test alone."""
        if run := reference_run(self._config, name):
            kept = run.report["model"] or {}
            return {"lineage": kept.get("lineage"), "lineage_told": kept.get("lineage_told", False)}
        tested = name == name_in_role(self._config, "model")
        return {
            "lineage": lineage(self._config) if tested else lineage_by_name(name),
            "lineage_told": tested and lineage_option(self._config) is not None,
        }

    def _identity(self, probe: Probe) -> dict[str, Any]:
        """The identity of a checkpoint, for the report; a single process makes the identity for all."""

        def find(_key: str) -> bytes:
            found = probe.identity()
            # Every claim wants the form, and here the checkpoint is loaded.
            probe.form  # noqa: B018
            return json.dumps(found.as_dict()).encode()

        return self.shared(f"identity of {probe.source.name}", find)


def _components(probe: Probe) -> dict[str, Any] | None:
    """Facts on a checkpoint's components, None where the components cannot be measured."""
    proof = probe.proof
    if proof.problem is not None:
        return None
    return {
        "architecture": proof.architecture,
        "n_layers": proof.n_layers,
        "n_heads": proof.n_heads,
        "completeness_gap": proof.gap,
    }


def _unfinished_thoughts(responses: Mapping[str, Sequence[Response]]) -> dict[str, list[int]]:
    """Counts by language, `[unfinished thoughts, responses]`, only for languages with unfinished thoughts."""
    counts = {
        language: sum(one.is_unfinished_thought for one in given) for language, given in responses.items()
    }
    return {language: [count, len(responses[language])] for language, count in counts.items() if count}


def _cut_off(responses: Sequence[Response]) -> float:
    return sum(response.ran_on for response in responses) / len(responses)
