"""Loss on ordinary text: whether a model with components ablated can still write, or is broken altogether."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lengthprobe.components.names import Ablation
from lengthprobe.measures.causality.leading import Ablatable, leading_components
from lengthprobe.measures.per_response import key_with_arguments, measure_key, probe_form
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.task.languages import load_language

if TYPE_CHECKING:
    from collections.abc import Sequence


class Readable(Ablatable, Protocol):
    """A probe, as this measure needs one."""

    def losses(self, texts: Sequence[str], ablation: Ablation) -> Sequence[float]:
        """The loss of each text under an ablation."""


def text_loss_rise(
    probe: Readable, *, language: str, kind: str, k: int | None = None, found_in: str | None = None
) -> Estimate:
    """The rise of the loss on short ordinary text without the leading components, in nats a token.

    The loss is the negative log-likelihood of the tokens of a language's ordinary sentences, a mean over
    sentences. The rise is the loss with the leading components cut, less the loss of the whole model; 0.1 is
    a perplexity 10 % higher. A model that loses its length control without a rise has lost a circuit. A model
    that loses its length control with a large rise is broken altogether (METHODS §4, specificity; the measure
    is ours).

    Args:
        probe: The checkpoint.
        language: Code of the language of the text.
        kind: `heads` or `mlps`.
        k: How many components; as in `leading_components`.
        found_in: The language on whose discovery topics the components are found; `language` by default.

    Returns:
        An Estimate over sentences.

    Raises:
        LengthprobeError: As `leading_components`.
    """
    called = key_with_arguments("text_loss_rise", kind, k, found_in)
    if unmet := unmet_control(probe, found_in or language):
        return without_values(probe, called, language, unmet, unit="nats", bounds=None)
    sentences = load_language(language).ordinary
    chosen = leading_components(probe, language=found_in or language, kind=kind, k=k)
    cut = probe.losses(sentences, Ablation().and_also(chosen, "zero"))
    whole = probe.losses(sentences, Ablation())
    return Estimate.from_observations(
        [
            Observation(f"{language} {index}", f"sentence {index}", without - with_all, repr(sentence))
            for index, (sentence, without, with_all) in enumerate(zip(sentences, cut, whole, strict=True))
        ],
        name=measure_key(called, probe, language, None),
        unit="nats",
        bounds=None,
        alpha=probe.settings.alpha,
        alpha_shares=probe.alpha_shares.mechanism,
        worst="high",
        topics=len(sentences),
        form=probe_form(probe),
    )
