"""Cumulative Weighted Attribution: what a part gave to tokens that keep to the length, less the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.measures.answered import check_answered
from lengthprobe.measures.attribution.by_part import ByPart, early_controls, estimate_of
from lengthprobe.measures.per_response import check_lengths, note_of
from lengthprobe.measures.precondition import unmet_control, without_values

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Unpack

    from lengthprobe.asking.answers import Traced
    from lengthprobe.attribution.trace import Contributions
    from lengthprobe.measures.attribution.by_part import Floats, Traceable
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.task.adherence import Adherence


class Options(TypedDict, total=False):
    """How CWA is taken.

    Args:
        lengths: Only the prompts that ask for these, all by default.
        signs: `adherence` (default): +1 where the token written keeps to the length asked for, −1 where it
            does not. The controls: `shuffled` (another prompt's length), `all-plus`.
        per_step: The mean over a response's steps in place of the sum, which grows with the response.
        text_of: Another checkpoint whose responses are forced on this one, in place of its own: the control
            *same text*.
    """

    lengths: Collection[int] | None
    signs: str
    per_step: bool
    text_of: Traceable | None


def late_heads_cwa(probe: Traceable, *, language: str, **options: Unpack[Options]) -> Estimate:
    """The CWA of the late layers' heads together (arXiv:2509.02075; METHODS §3).

    Args:
        probe: The checkpoint.
        language: Code of the language.
        options: As in `Options`.

    Returns:
        An Estimate over topics in logits, which `share` relates to all parts together.

    Raises:
        ModelError: The checkpoint's parts are not known, or do not add up to its logits.
    """
    return _cwa(probe, lambda by_part: by_part.late_heads, "late_heads_cwa", language, **options)


def early_heads_cwa(probe: Traceable, *, language: str, **options: Unpack[Options]) -> Estimate:
    """The CWA of the early layers' heads, as if there were as many as late ones; as `late_heads_cwa`."""
    return _cwa(probe, lambda by_part: by_part.early_heads, "early_heads_cwa", language, **options)


def heads_rise(probe: Traceable, *, language: str, **options: Unpack[Options]) -> Estimate:
    """How far the CWA of a layer's heads rises into the late layers (METHODS §3); as `late_heads_cwa`.

    Raises:
        ModelError: Also where the checkpoint has one layer, and so none before the late ones.
    """

    def rise(by_part: ByPart) -> Floats:
        if by_part.n_layers == 1:
            raise ModelError(
                f"{probe.name} has one layer, which is a late one: there is none before it to rise from",
                "leave heads_rise out for this checkpoint (pytest --deselect, or -k 'not rise')",
            )
        return by_part.rise

    return _cwa(probe, rise, "heads_rise", language, **options)


def final_mlp_cwa(probe: Traceable, *, language: str, **options: Unpack[Options]) -> Estimate:
    """The CWA of the last layer's MLP (arXiv:2509.02075; METHODS §3); as `late_heads_cwa`."""
    return _cwa(probe, lambda by_part: by_part.final_mlp, "final_mlp_cwa", language, **options)


def early_mlps_cwa(probe: Traceable, *, language: str, **options: Unpack[Options]) -> Estimate:
    """The CWA of an early layer's MLP, on average over them; as `late_heads_cwa`."""
    return _cwa(probe, lambda by_part: by_part.early_mlps, "early_mlps_cwa", language, **options)


def cwa_by_part(
    probe: Traceable,
    language: str,
    *,
    lengths: Collection[int] | None = None,
    signs: str = "adherence",
    per_step: bool = False,
    text_of: Traceable | None = None,
) -> ByPart:
    """The CWA of every part, prompt by prompt; arguments as in `Options`.

    Raises:
        SettingsError: The lengths are none; or signs are to be shuffled, and all prompts ask for the same
            length.
        LengthprobeError: As `Probe.traces`.
    """
    import numpy as np

    from lengthprobe.attribution.cumulative import cumulative, token_weights

    check_lengths(lengths)
    source = text_of or probe
    every = source.traces(language)
    check_answered(source, [one.response for one in every], language)
    asked = [one.response.prompt.n_words for one in every]
    if signs == "shuffled" and len(set(asked)) < 2:
        raise SettingsError(
            f"the control of CWA takes another prompt's length, and all prompts in {language!r} ask for "
            f"{asked[0]} words",
            "--lengthprobe-lengths=3-9, or any two lengths",
        )
    contributions, adherences = _of_own(every) if text_of is None else _of_forced(probe, every)
    # Shuffled lengths are those of all prompts, whichever are selected.
    weights = token_weights(adherences, asked, signs=signs)
    found = cumulative(contributions, weights)
    keep = [at for at, one in enumerate(every) if lengths is None or one.response.prompt.n_words in lengths]
    # Of a text that another tokenizer has no token for there is no step; a thought's are none of the answer.
    n_steps = np.array([max(1, sum(one.in_answer)) for one in adherences], float)
    steps = n_steps[keep] if per_step else 1.0
    return ByPart(
        prompts=[every[at].response.prompt for at in keep],
        notes=[note_of(every[at].response, _n_words(adherences[at])) for at in keep],
        heads=(found.heads[keep].T / steps).T,
        mlps=(found.mlps[keep].T / steps).T,
        exact=tuple(place for place, at in enumerate(keep) if _is_exact(every[at], adherences[at])),
        cut_off=any(every[at].response.ran_on for at in keep),
    )


def _is_exact(one: Traced, adherence: Adherence) -> bool:
    return adherence.ended and _n_words(adherence) == one.response.prompt.n_words


def _n_words(adherence: Adherence) -> int:
    return adherence.counts[-1] if adherence.counts else 0


def _cwa(
    probe: Traceable,
    part: Callable[[ByPart], Floats],
    name: str,
    language: str,
    **options: Unpack[Options],
) -> Estimate:
    check_lengths(options.get("lengths"))
    if unmet := unmet_control(probe, language, text_of=options.get("text_of")):
        called, lengths = _stated(name, None, options), options.get("lengths")
        return without_values(probe, called, language, unmet, unit="logits", bounds=None, lengths=lengths)
    by_part = cwa_by_part(probe, language, **options)
    signs = options.get("signs", "adherence")
    # A control is related to the same whole as what it controls.
    plain: Options = {**options, "signs": "adherence"}
    whole = by_part if signs == "adherence" else cwa_by_part(probe, language, **plain)
    return estimate_of(
        probe,
        by_part,
        part,
        name=_stated(name, probe.settings.cap if by_part.cut_off else None, options),
        language=language,
        lengths=options.get("lengths"),
        whole=whole,
        controls=lambda: _controls(probe, language, part, options),
    )


def _stated(name: str, cap: int | None, options: Options) -> str:
    """The measure's name with what was asked for; with the cap where it decided how far responses run on."""
    signs, other = options.get("signs", "adherence"), options.get("text_of")
    stated = [signs] if signs != "adherence" else []
    stated += ["per step"] if options.get("per_step") else []
    stated += [f"on {other.name}'s text"] if other is not None else []
    stated += [f"cap {cap}"] if cap is not None else []
    return f"{name}[{', '.join(stated)}]" if stated else name


def _controls(
    probe: Traceable, language: str, part: Callable[[ByPart], Floats], options: Options
) -> dict[str, float]:
    """The means of the same part under the controls that need no forward pass (METHODS §3)."""
    found = {}
    source = options.get("text_of") or probe
    several = len({one.response.prompt.n_words for one in source.traces(language)}) > 1
    for signs in ("shuffled", "all-plus") if several else ("all-plus",):
        other: Options = {**options, "signs": signs}
        found[signs] = float(part(cwa_by_part(probe, language, **other)).mean())
    plain: Options = {**options, "signs": "adherence"}
    by_part = cwa_by_part(probe, language, **plain)
    if by_part.exact:
        exact = part(by_part)[list(by_part.exact)]
        found["exact answers only"] = float(exact.mean())
    return found | early_controls(by_part)


def _of_own(every: Sequence[Traced]) -> tuple[list[Contributions], list[Adherence]]:
    traced = [(one.trace.token, one.adherence) for one in every if one.trace and one.adherence]
    return [trace for trace, _ in traced], [adherence for _, adherence in traced]


def _of_forced(probe: Traceable, every: Sequence[Traced]) -> tuple[list[Contributions], list[Adherence]]:
    from lengthprobe.attribution.forced import Forced

    texts = [
        Forced(
            one.response.prompt,
            one.response.token_ids,
            one.response.text,
            one.response.finish_reason == "stop",
            opened=one.response.opened,
        )
        for one in every
    ]
    forced = probe.forced(texts, target="token")
    return [one.contributions for one in forced], [one.adherence for one in forced if one.adherence]
