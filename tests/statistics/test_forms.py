"""What was asked in unlike forms is not compared, unless that is allowed by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.measures.attribution.fall_of_share import fall_of_share
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.forms import Form
from lengthprobe.statistics.sample import Sample

CHAT = Form(
    model="candidate",
    kind="chat",
    template="a" * 64,
    system_prompt=None,
    ends=("<|end|>",),
    folder="/c",
    source="/c/chat_template.jinja",
    ends_file="/c/generation_config.json",
)
REFERENCE = replace(
    CHAT,
    model="reference",
    folder="/r",
    source="/r/chat_template.jinja",
    ends_file="/r/generation_config.json",
)
LOST: dict[str, Any] = {"kind": "plain", "template": None, "source": None}
PLAIN = "--lengthprobe-prompt-form=plain"
UNLIKE = (
    LOST,
    {"template": "b" * 64},
    {"system_prompt": "Be brief."},
    {"ends": ("</s>", "<|end|>")},
    {"thinking": "allow"},
    {"sampled": "temperature 0.7, 4 samples a prompt, seed 0"},
)


def estimate(form: Form | None, *, of_whole: bool = False) -> Estimate:
    """Ten values about as many topics, of a checkpoint that was asked in a form."""
    values = [Observation(f"p{at}", f"t{at}", at / 10) for at in range(10)]
    wholes = tuple(replace(one, value=3.0 + one.value**2) for one in values)
    return Estimate.from_observations(
        values,
        name="x",
        unit="words",
        bounds=None if of_whole else (0.0, 2.0),
        whole=Sample(wholes, None) if of_whole else None,
        form=form,
    )


def refusal(**changes: Any) -> SettingsError:
    """What is said of a reference that was asked otherwise than the candidate."""
    with pytest.raises(SettingsError) as caught:
        estimate(CHAT) - estimate(replace(REFERENCE, **changes))
    return caught.value


@pytest.mark.parametrize("changes", UNLIKE, ids=str)
@pytest.mark.parametrize(
    "join",
    [
        lambda one, other: one - other,
        lambda one, other: one + other,
        lambda one, other: one < other,
        lambda one, other: one < 2 * other,
        lambda one, other: -one >= other,
        lambda one, other: abs(one) < other,
        lambda one, other: other > abs(one),
        lambda one, other: abs(one - other) < 0.5,
    ],
    ids=["difference", "sum", "less", "factor", "negative", "magnitude", "turned", "near"],
)
def test_whatever_joins_two_estimates_refuses(changes: dict[str, Any], join: Any) -> None:
    """A difference, a sum and each comparison refuse forms that are unlike, and take those that are alike."""
    one = estimate(CHAT)
    with pytest.raises(SettingsError, match="candidate and reference were not asked alike"):
        join(one, estimate(replace(REFERENCE, **changes)))
    join(one, estimate(REFERENCE))


def test_thoughts_of_one_alone_are_named() -> None:
    """The message says for whom they were allowed, and what gives both the same."""
    error = refusal(thinking="allow")

    assert error.problem.endswith("thoughts are off for candidate, allow for reference")
    assert error.fix.startswith("give both the same: --lengthprobe-thinking; or ")


def test_fall_of_a_share_refuses() -> None:
    """So does the fall of a share, which joins the values by itself."""
    one, other, lost = (
        estimate(form, of_whole=True) for form in (CHAT, REFERENCE, replace(REFERENCE, **LOST))
    )
    with pytest.raises(SettingsError, match="not asked alike"):
        fall_of_share(one, lost)
    assert fall_of_share(one, other).forms == (CHAT, REFERENCE)


def test_what_is_derived_keeps_its_forms() -> None:
    """A difference of two that are alike is refused beside a third that is not; and so is a multiple."""
    third = estimate(replace(REFERENCE, model="third", **LOST))
    for derived in (
        estimate(CHAT) - estimate(REFERENCE),
        2 * estimate(CHAT),
        -estimate(CHAT),
    ):
        with pytest.raises(SettingsError, match="third"):
            derived._plus(replace(third, unit=derived.unit), 1.0, "sum")


def test_values_of_no_checkpoint_compare_freely() -> None:
    """An estimate that was made of plain values was asked in no form."""
    free = estimate(None)
    assert (free.forms, (estimate(CHAT) - free).forms) == ((), (CHAT,))


def test_one_checkpoint_twice() -> None:
    """The same checkpoint under the same settings is alike itself, and stands once."""
    assert (estimate(CHAT) - estimate(CHAT)).forms == (CHAT,)


def test_places_and_names_are_no_difference() -> None:
    """Only what determines prompts and ends counts: not the name, not the folder, not where files are."""
    elsewhere = replace(
        CHAT, model="m", folder="/x", source="/x/tokenizer_config.json", ends_file="/x/g.json"
    )
    assert len((estimate(CHAT) - estimate(elsewhere)).forms) == 2


@pytest.mark.parametrize("allowed", [0, 1])
@pytest.mark.parametrize("changes", UNLIKE, ids=str)
def test_allowed_by_name(changes: dict[str, Any], allowed: int) -> None:
    """Where either side may be compared across forms, it is."""
    forms = [CHAT, replace(REFERENCE, **changes)]
    forms[allowed] = replace(forms[allowed], across=True)
    one, other = map(estimate, forms)
    assert (one - other).mean == 0


def test_what_one_side_allows_is_not_passed_on() -> None:
    """Two that are unlike stay so where each is first set against a third that may be compared with any."""
    base = estimate(replace(CHAT, model="base", across=True, **LOST))
    one, other = estimate(CHAT) - base, estimate(replace(REFERENCE, template="b" * 64)) - base
    with pytest.raises(SettingsError, match="candidate and reference"):
        _ = one - other


def test_a_lost_template_is_named_with_the_file_to_copy() -> None:
    """The message has the file that is missing and the one to copy, plain form, and the permission."""
    error = refusal(**LOST)
    assert error.problem.endswith(
        "reference in plain form, candidate in its chat template: /r/chat_template.jinja is missing"
    )
    assert error.fix == (
        "copy it from /c/chat_template.jinja to /r/chat_template.jinja; or ask both in plain form: "
        f"{PLAIN}; or compare all the same: --lengthprobe-across-forms"
    )


def test_a_template_within_a_config_is_saved_in_its_file() -> None:
    """A template that another file holds cannot be copied as it stands."""
    with pytest.raises(SettingsError) as caught:
        estimate(replace(CHAT, **LOST)) - estimate(replace(REFERENCE, source="/r/tokenizer_config.json"))
    assert caught.value.fix.startswith(
        'save what "chat_template" says in /r/tokenizer_config.json as /c/chat_template.jinja; or '
    )


def test_plain_form_on_request() -> None:
    """Where both have a template and one was not asked in it, no file is at fault."""
    error = refusal(kind="plain", template=None)
    assert "is missing" not in str(error)
    assert "--lengthprobe-prompt-form" in error.fix


def test_other_templates_are_named() -> None:
    """Both files and the beginnings of both digests."""
    error = refusal(template="b" * 64)
    assert error.problem.endswith(
        "their chat templates differ: /c/chat_template.jinja (SHA-256 aaaaaaaaaaaa) and "
        "/r/chat_template.jinja (SHA-256 bbbbbbbbbbbb)"
    )
    assert "copy it from /r/chat_template.jinja to /c/chat_template.jinja" in error.fix
    assert PLAIN in error.fix


def test_other_system_prompts_are_named() -> None:
    """On one line; plain form would have no place for either, and is not advised."""
    error = refusal(system_prompt="Be \x1b[31m\nbrief.")
    assert error.problem.endswith("their system prompts differ: none and 'Be brief.'")
    assert "--lengthprobe-system-prompt" in error.fix
    assert PLAIN not in error.fix


def test_other_ends_are_named() -> None:
    """With what to add to which file; plain form would not change them, and is not advised."""
    error = refusal(ends=("</s>", "<|other|>"))
    assert error.problem.endswith(
        "their responses end differently: candidate at <|end|>, reference at </s>, <|other|>"
    )
    assert error.fix.startswith(
        "add the id of </s>, <|other|> to eos_token_id in /c/generation_config.json; "
        "add the id of <|end|> to eos_token_id in /r/generation_config.json; or "
    )
    assert PLAIN not in error.fix


def test_all_that_differs_is_told() -> None:
    """Where more than one thing differs the message has each, and plain form alone would not mend them."""
    error = refusal(**LOST, ends=("</s>",))
    assert "is missing" in error.problem
    assert "end differently" in error.problem
    assert PLAIN not in error.fix
