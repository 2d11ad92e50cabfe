"""The table of claims and verdicts, with the lines above and below the table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.ledger import ROLES, shown_totals
from lengthprobe.reporting.names import name_of, place_of
from lengthprobe.reporting.rows import headers, rows_of
from lengthprobe.runs.comparability import told_differences
from lengthprobe.settings import THOUGHT_LIMIT
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lengthprobe.reporting.ledger import Ledger
    from lengthprobe.reporting.rows import Row
    from lengthprobe.settings import Settings

_DIGEST_SHOWN = 12


def header(
    ledger: Ledger, settings: Settings, names: Mapping[str, str], changed: Mapping[str, float]
) -> list[str]:
    """Lines with the checkpoints, the settings and the changed margins.

    Args:
        ledger: Knows the identity of each checkpoint asked.
        settings: The settings of the run.
        names: The name of each role's checkpoint, asked or not.
        changed: The margins other than the default, by name.
    """
    lines = []
    for role in ROLES:
        identity = ledger.models.get(role)
        if identity is not None:
            lines += [f"{role:<10} {printable(line, None)}" for line in _identity(identity)]
        elif role in names:
            why = "the run ended before any claim about it did" if ledger.interrupted else "not asked"
            lines.append(f"{role:<10} {printable(names[role])}: {why}")
    lines.append(f"{'settings':<10} {settings_line(settings)}")
    if changed:
        stated = ", ".join(f"{name} {margin:g}" for name, margin in changed.items())
        lines.append(f"{'margins':<10} {stated} (not the default)")
    return lines


def settings_line(settings: Settings) -> str:
    """The settings of all checkpoints, on a single line."""
    allowed = settings.thinking == "allow"
    thought = f", beside a thought of {THOUGHT_LIMIT} or what the context leaves" if allowed else ""
    system = f", system prompt {printable(settings.system_prompt)!r}" if settings.system_prompt else ""
    sampled = f"; sampled: {settings.sampled}; components: greedy" if settings.sampled else ""
    across = ", unlike forms compared" if settings.across_forms else ""
    early = settings.early_looks
    prompts = f"{settings.budget} prompts a language"
    if early:
        prompts = f"at most {prompts}, claims judged after {', '.join(map(str, early))} and {settings.budget}"
    return (
        f"{', '.join(settings.languages)}; {prompts}, "
        f"N {spans(settings.lengths)}, seed {settings.seed}; cap {settings.cap} tokens{thought}{sampled}; "
        f"counter {settings.counter}; alpha {settings.alpha:g} one-sided"
        f"{' over all looks' if early else ''}{system}{across}"
    )


def spans(numbers: tuple[int, ...]) -> str:
    """Numbers in words, consecutive numbers as a range.

    >>> spans((3, 4, 5, 9))
    '3-5, 9'
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def table(
    ledger: Ledger, alpha: float, paint: Callable[[str, str], str] = lambda text, _verdict: text
) -> list[str]:
    """The lines of the table: a row for each check of a claim, and for each estimate beside the checks.

    Args:
        ledger: The outcomes.
        alpha: One-sided error rate of each end of an interval.
        paint: Gives a word the colour of a verdict.
    """
    from tabulate import tabulate

    rows = [_cells(row, paint) for entry in ledger.entries.values() for row in rows_of(entry)]
    return str(tabulate(rows, headers(alpha), tablefmt="simple", disable_numparse=True)).splitlines()


def totals(ledger: Ledger) -> str:
    """The number of claims by verdict, in words."""
    words = {"holds": ("holds", "hold"), "error": ("error", "errors")}
    return ", ".join(
        f"{count} {words.get(verdict, (verdict, verdict))[count != 1]}"
        for verdict, count in shown_totals(ledger.totals)
    )


def conclusion_lines(ledger: Ledger) -> list[str]:
    """The verdict on the whole run in one line, and a line for each further sentence."""
    if not ledger.has_claims or ledger.only_found:
        return []
    conclusion = ledger.conclusion
    return [
        f"verdict: {printable(conclusion.sentence, None)}",
        *(f"  {printable(sentence, None)}" for sentence in conclusion.details),
    ]


def notes(ledger: Ledger) -> list[str]:
    """Lines on errors and skips, and on facts about the checkpoints that a reader should know."""
    errors = Counter(entry.message for entry in ledger.entries.values() if entry.verdict == "error")
    reasons = Counter(entry.message for entry in ledger.entries.values() if entry.verdict == "skipped")
    lines = [
        printable(line, None)
        for message, count in errors.items()
        for line in f"error in {count} {'claim' if count == 1 else 'claims'}: {message}".splitlines()
    ]
    lines += [f"skipped: {count} ({printable(reason)})" for reason, count in reasons.items()]
    tested = ledger.models.get("model", {})
    reference = ledger.models.get("reference")
    if tested and reference and (told := told_differences([reference, tested])):
        lines.append(
            f"warning: {printable(name_of(reference))} and {printable(name_of(tested))} differ in "
            f"{printable(', '.join(told))}: greedy answers may change by that alone"
        )
    for role in ROLES[1:]:
        other = ledger.models.get(role)
        if not other or not tested or bool(other.get("stored")) != bool(tested.get("stored")):
            # The digest of a GGUF's header is never that of files.
            continue
        if other["tokenizer"] != tested["tokenizer"]:
            lines.append(
                f"{role} {printable(name_of(other))} has other tokenizer files than "
                f"{printable(name_of(tested))}: its words are compared all the same"
            )
    return lines


def missing_claim_lines(ledger: Ledger) -> list[str]:
    """Lines with the names of the claims that did not run."""
    names = ledger.missing
    if not names:
        return []
    why = f": {printable(ledger.interrupted)}" if ledger.interrupted else ""
    claims = "claim" if len(ledger.collected) == 1 else "claims"
    return [
        f"missing: {len(names)} of {len(ledger.collected)} {claims}{why}",
        *(f"  {printable(name, None)}" for name in names),
    ]


def _identity(identity: Mapping[str, Any]) -> Iterator[str]:
    template = identity["chat_template"]
    commit = f" at {identity['commit'][:_DIGEST_SHOWN]}" if identity["commit"] else ""
    place = identity["repo_id"] or place_of(identity)
    where = f" ({place}{commit})" if place else ""
    yield (
        f"{printable(name_of(identity) + where)}: {identity['architecture']}, {_lineage(identity)}"
        f"weights {identity['weights'][:_DIGEST_SHOWN]}, tokenizer {identity['tokenizer'][:_DIGEST_SHOWN]}, "
        f"template {template[:_DIGEST_SHOWN] if template else 'none'}"
    )
    if stored := identity.get("stored"):
        yield f"weights: {printable(stored)}, dequantized to {identity['dtype']}"
    if run := identity.get("run"):
        yield f"answers of the saved run {printable(str(run))}: no model was loaded for them"
    split = identity["split_batches"]
    yield (
        f"asked in {identity['prompt_form']} form, {identity['dtype']} on {identity['device']}, "
        f"{identity['attention']} attention, batches of {identity['batch_size']}"
        + (f" ({split} split for want of memory)" if split else "")
        + _cut_off(identity.get("cut_off", {}))
        + _unfinished(identity.get("unfinished_thoughts", {}))
    )
    if thought := identity.get("thought"):
        yield f"thoughts: {printable(thought, None)}"
    if components := identity.get("components"):
        yield (
            f"components: {printable(components['architecture'])}, {components['n_layers']} layers of "
            f"{components['n_heads']} heads; "
            f"they add up to the logits, to {components['completeness_gap']:.1g} of their size"
        )
    if quantized := identity.get("quantized"):
        yield f"quantized: {printable(quantized, None)}"
    if left_out := identity.get("left_out"):
        named = ", ".join(map(str, left_out))
        yield f"judged with text alone: what it sees with is not used ({printable(named, None)})"
    if ends := identity.get("ends_told"):
        yield f"end tokens: {printable(ends, None)}"
    if identity["overridden"]:
        stated = ", ".join(map(str, identity["overridden"]))
        how = "sampled as the settings say" if identity.get("sampled") else "decoded greedily"
        yield f"{how}; its generation config asks for {printable(stated, None)}"


def _lineage(identity: Mapping[str, Any]) -> str:
    if "lineage" not in identity:
        return ""
    note = " (as told)" if identity["lineage_told"] else ""
    return f"lineage {identity['lineage'] or 'not known'}{note}, "


def _cut_off(shares: Mapping[str, float]) -> str:
    said = ", ".join(f"{100 * share:.1f} % in {language}" for language, share in shares.items())
    return f"; cut off at the cap: {said}" if said else ""


def _unfinished(counts: Mapping[str, Sequence[int]]) -> str:
    said = ", ".join(f"{count} of {n} in {language}" for language, (count, n) in counts.items())
    return f"; answers that are an unfinished thought: {said}" if said else ""


def _cells(row: Row, paint: Callable[[str, str], str]) -> list[str]:
    first = f"beside: {printable(row.beside)}" if row.beside else printable(row.claim)
    verdict = paint(row.word, row.verdict) if row.verdict else ""
    numbers = [row.effect, row.interval, row.size]
    return [first, printable(row.language), verdict, *numbers, row.margin, printable(row.published)]
