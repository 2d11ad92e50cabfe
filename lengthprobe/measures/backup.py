"""Backup: components that take over where those that lead by CWA are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lengthprobe.measures.control import exact_under
from lengthprobe.measures.cwa import final_mlp_cwa
from lengthprobe.measures.leading import Ablatable, cwa_above_control, leading_components, others_of_kind
from lengthprobe.models.components import Ablation, Component

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from lengthprobe.statistics.estimate import Estimate


class Cuttable(Ablatable, Protocol):
    """What these measures need of a probe."""

    def ablated(
        self, components: Sequence[Component], mode: str = "zero"
    ) -> AbstractContextManager[Ablatable]:
        """A probe of the same checkpoint without some components, within a block."""


def compensation(probe: Cuttable, *, language: str) -> Estimate:
    """How much the final MLP's CWA rises where the heads that lead by CWA are cut (METHODS §4), in logits.

    Both are taken on the whole model's responses, which are forced on the one that is cut, and paired by
    prompt: on texts of its own, which run on, the signs of CWA alone would decide.

    Args:
        probe: The checkpoint.
        language: Code of the language.

    Raises:
        LengthprobeError: The parts are not known.
    """
    with probe.ablated(leading_components(probe, language=language, kind="heads")) as cut:
        without = final_mlp_cwa(cut, language=language, text_of=probe)
        return without - final_mlp_cwa(probe, language=language)


def backup_components(probe: Cuttable, *, language: str, kind: str = "heads") -> tuple[Component, ...]:
    """As many others whose CWA rises most where the leading components are cut, the most first (ours).

    CWA above its control, as in `leading_components`, on the prompts about discovery topics; both times on
    the whole model's responses.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.
    """
    leading = leading_components(probe, language=language, kind=kind)
    with probe.ablated(leading) as cut:
        without = cwa_above_control(cut, language, kind, text_of=probe)
        rise = without - cwa_above_control(probe, language, kind)

    def risen(one: Component) -> float:
        return -float(rise[one.layer] if one.head is None else rise[one.layer, one.head])

    return tuple(sorted(others_of_kind(probe, leading), key=risen)[: len(leading)])


def redundancy(probe: Cuttable, *, language: str, kind: str = "heads") -> Estimate:
    """What two groups together cost beyond what each costs alone, as a share of exact answers (METHODS §4).

    The two groups are the leading components and their backups (`backup_components`). Above 0: either does
    where the other is cut, so that neither is needed. Below 0: either one gone is already as bad as both.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.

    Returns:
        An Estimate over topics.
    """
    leading = leading_components(probe, language=language, kind=kind)
    backups = backup_components(probe, language=language, kind=kind)

    def without(components: Sequence[Component], called: str) -> Estimate:
        cut = Ablation().and_also(components, "zero")
        return exact_under(probe, language, f"control_without[{called}]", [cut])

    apart = without(leading, "leading") + without(backups, "backups")
    return (
        apart - exact_under(probe, language, "control", [Ablation()]) - without((*leading, *backups), "both")
    )
