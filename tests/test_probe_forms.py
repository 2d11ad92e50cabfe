"""Two probes are compared where they were asked alike, or where that they were not is allowed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.errors import SettingsError
from lengthprobe.measures import (
    absolute_error,
    control,
    cwa,
    error_by_tokens_per_word,
    exact_match,
    fall_of_share,
    text_loss_rise,
)
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings

SETTINGS = Settings(languages=("en",), lengths=(3, 4), budget=8, cap=32, device_map="cpu")
TEMPLATE, CONFIG = "chat_template.jinja", "tokenizer_config.json"
TINY = resolve("tiny-it").path
assert TINY is not None


@pytest.fixture(scope="module")
def reference() -> Probe:
    """The approved checkpoint, in its chat template."""
    return asked("tiny-it")


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A copy of the approved checkpoint, for a test to change."""
    return Path(shutil.copytree(TINY.resolve(), tmp_path / "candidate"))


def asked(name: str | Path, **changes: Any) -> Probe:
    """A probe under few prompts."""
    return Probe(str(name), replace(SETTINGS, **changes))


def fall(one: Probe, other: Probe) -> bool:
    """Whether exact answers have not fallen."""
    found, approved = (exact_match(probe, language="en") for probe in (one, other))
    return bool(abs(found.mean - approved.mean) < 2 and (found - approved).n == 8)


def test_a_copy_is_compared(candidate: Path, reference: Probe) -> None:
    """The same template, ends and system prompt in another folder, under another name: compared."""
    assert fall(asked(candidate), reference)


def test_a_lost_template_is_refused_and_its_fix_works(candidate: Path, reference: Probe) -> None:
    """A fine-tune saved without its template (LlamaFactory #8399) is refused until the file is copied."""
    (candidate / TEMPLATE).unlink()
    with pytest.raises(SettingsError) as caught:
        fall(asked(candidate), reference)
    missing, source = candidate / TEMPLATE, TINY.resolve() / TEMPLATE
    assert f"{candidate} in plain form, tiny-it in its chat template: {missing} is missing" in str(
        caught.value
    )
    assert caught.value.fix.startswith(f"copy it from {source} to {missing}; or ")

    shutil.copy(source, missing)
    assert fall(asked(candidate), reference)


def test_plain_form_for_both_is_compared(candidate: Path) -> None:
    """The other fix works as well."""
    (candidate / TEMPLATE).unlink()
    assert fall(asked(candidate, prompt_form="plain"), asked("tiny-it", prompt_form="plain"))


@pytest.mark.parametrize("allows", ["candidate", "reference"])
def test_permission_works(candidate: Path, reference: Probe, allows: str) -> None:
    """Either side may allow it."""
    (candidate / TEMPLATE).unlink()
    one, other = asked(candidate, across_forms=allows == "candidate"), reference
    assert fall(one, other.across_forms() if allows == "reference" else other)


def test_an_adapter_whose_tokenizer_lost_its_template(tmp_path: Path, reference: Probe) -> None:
    """An adapter's own tokenizer counts; the file is missing beside the adapter, and not in its base."""
    import peft
    import transformers

    base = transformers.AutoModelForCausalLM.from_pretrained(TINY.resolve())
    config = peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    peft.get_peft_model(base, config).save_pretrained(tmp_path)
    assert fall(asked(tmp_path), reference)
    tokenizer = transformers.AutoTokenizer.from_pretrained(TINY.resolve())
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)

    with pytest.raises(SettingsError) as caught:
        fall(asked(tmp_path), reference)
    assert f"{tmp_path / TEMPLATE} is missing" in caught.value.problem
    shutil.copy(TINY / TEMPLATE, tmp_path)
    assert fall(asked(tmp_path), reference)


def test_a_template_that_moved_into_the_config_is_the_same(candidate: Path, reference: Probe) -> None:
    """Where a template is written is no difference, and neither is white space at its end."""
    template = (candidate / TEMPLATE).read_text()
    (candidate / TEMPLATE).unlink()
    stated = json.loads((candidate / CONFIG).read_text()) | {"chat_template": template + " \n"}
    (candidate / CONFIG).write_text(json.dumps(stated))
    assert asked(candidate).form.source == str(candidate / CONFIG)
    assert fall(asked(candidate), reference)


def test_another_template_is_refused_and_its_fix_works(candidate: Path, reference: Probe) -> None:
    """A template that says more than the reference's is another prompt."""
    path = candidate / TEMPLATE
    path.write_text("{{ '\n' }}" + path.read_text())
    with pytest.raises(SettingsError, match="their chat templates differ") as caught:
        fall(asked(candidate), reference)
    assert f"copy it from {TINY.resolve() / TEMPLATE} to {path}" in caught.value.fix
    shutil.copy(TINY / TEMPLATE, path)
    assert fall(asked(candidate), reference)


def test_another_template_is_none_in_plain_form(candidate: Path) -> None:
    """What is not used makes no difference."""
    path = candidate / TEMPLATE
    path.write_text("{{ '\n' }}" + path.read_text())
    assert fall(asked(candidate, prompt_form="plain"), asked("tiny-it", prompt_form="plain"))


def test_other_ends_are_refused_and_the_fix_works(candidate: Path, reference: Probe) -> None:
    """A checkpoint that stops at a token more is asked otherwise; the token is named by its text."""
    path = candidate / "generation_config.json"
    stated = json.loads(path.read_text())
    kept = stated["eos_token_id"]
    ends = [*kept, 40] if isinstance(kept, list) else [kept, 40]
    path.write_text(json.dumps(stated | {"eos_token_id": ends}))
    text = reference.checkpoint.tokenizer.decode([40])
    probe = asked(candidate)
    with pytest.raises(SettingsError, match="their responses end differently") as caught:
        fall(probe, reference)
    assert f"add the id of {text.strip()} to eos_token_id in {TINY.resolve() / path.name}" in caught.value.fix
    assert set(probe.form.ends) - set(reference.form.ends) == {text}
    path.write_text(json.dumps(stated))
    assert fall(asked(candidate), reference)


@pytest.mark.parametrize("changes", [{"prompt_form": "plain"}, {"system_prompt": "Be brief."}], ids=str)
def test_one_checkpoint_asked_otherwise(changes: dict[str, Any], reference: Probe) -> None:
    """The same weights under another prompt form or system prompt are not compared either."""
    with pytest.raises(SettingsError, match="tiny-it and tiny-it were not asked alike"):
        fall(asked("tiny-it", **changes), reference)


def test_every_measure_knows_its_form() -> None:
    """Measures of behaviour, of mechanism and of causes are refused alike."""
    settings = {"budget": 20, "lengths": (3, 4, 5)}
    one, other = asked("tiny-it", **settings), asked("tiny-it", prompt_form="plain", **settings)
    for measure in (absolute_error, error_by_tokens_per_word, control, partial(cwa, component="late heads")):
        with pytest.raises(SettingsError, match="were not asked alike"):
            measure(one, language="en") - measure(other, language="en")
    with pytest.raises(SettingsError, match="were not asked alike"):
        fall_of_share(
            cwa(one, component="late heads", language="en"), cwa(other, component="late heads", language="en")
        )
    losses = [text_loss_rise(each, language="en", kind="mlps") for each in (one, other)]
    with pytest.raises(SettingsError, match="were not asked alike"):
        _ = losses[0] > losses[1]


def test_blocks_are_alike_their_whole() -> None:
    """A checkpoint with components ablated, or with some words alone, is asked as the whole one is."""
    probe = asked("tiny-it")
    whole = exact_match(probe, language="en")
    with probe.ablated("L3") as cut:
        assert cut.form == probe.form
        assert (exact_match(cut, language="en") - whole).n == 8
    with probe.writing("one-token") as constrained:
        assert constrained.form == probe.form


def test_a_base_is_compared_by_permission(reference: Probe) -> None:
    """A base has no template: in Python its probe is told that it may be compared as it is."""
    with pytest.raises(SettingsError, match="tiny-base in plain form, tiny-it in its chat template"):
        fall(asked("tiny-base"), reference)
    assert fall(asked("tiny-base", across_forms=True), reference)


def test_languages_of_one_checkpoint_are_compared() -> None:
    """A language against another is one probe's own affair."""
    probe = asked("tiny-it", languages=("en", "it"))
    assert (exact_match(probe, language="en") - exact_match(probe, language="it")).n == 16


def test_a_probe_across_forms_asks_nothing_again(reference: Probe) -> None:
    """It has the answers of the probe that it was made of, and that one has its own."""
    exact_match(reference, language="en")
    other = reference.across_forms()
    for one, same in zip(other.responses("en"), reference.responses("en"), strict=True):
        assert one is same
    assert (other.form.across, reference.form.across) == (True, False)
