"""A claim about why a model keeps to a length presupposes that it does, and else says so at once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from fixtures.derived import derive
from fixtures.recipe import MODELS
from lengthprobe import load, measures
from lengthprobe.asking.questions import Attend, Force, Observe, Score, Write
from lengthprobe.asking.transformers_engine import TransformersEngine
from lengthprobe.components.names import Component
from lengthprobe.errors import SettingsError
from lengthprobe.measures import control
from lengthprobe.measures.attribution.component_groups import COMPONENT_GROUPS
from lengthprobe.measures.precondition import FLOOR, unmet_control
from lengthprobe.statistics.looks import PlannedLook
from lengthprobe.task.prompts import split_of

ASKED = {Write: "answers", Force: "forced", Attend: "attention", Score: "losses", Observe: "outputs"}
HEADS = [Component(3, 0)]
# Everything that says why a model keeps to a length, or what is kept without its components.
OF_CAUSE = {
    "control_without": lambda probe: measures.control_without(probe, language="en"),
    "control_without_random": lambda probe: measures.control_without_random(probe, language="en"),
    "control_with_only": lambda probe: measures.control_with_only(probe, language="en"),
    "text_loss_rise": lambda probe: measures.text_loss_rise(probe, language="en", kind="heads"),
    "shuffled": partial(measures.cwa, component="late heads", language="en", signs="shuffled"),
    "at three": partial(measures.cwa, component="late heads", language="en", lengths=[3], per_step=True),
    **{
        f"{measure.__name__} of {component}": partial(measure, component=component, language="en")
        for measure in (measures.cwa, measures.stop_cwa, measures.number_swap)
        for component in COMPONENT_GROUPS
    },
    "attention_to_number": lambda probe: measures.attention_to_number(probe, language="en", heads=HEADS),
    "faithfulness": lambda probe: measures.faithfulness(probe, language="en"),
    "compensation": lambda probe: measures.compensation(probe, language="en"),
    "redundancy": lambda probe: measures.redundancy(probe, language="en"),
    "backup_effect": lambda probe: measures.backup_effect(probe, language="en"),
}


def counting(probe, monkeypatch):
    """How many prompts, texts or looks a probe asks for, by the kind of question."""
    asked = dict.fromkeys(ASKED.values(), 0)
    answer = TransformersEngine.answer

    def counted(engine, questions):
        if engine is probe.subject.memory._engine:
            for one in questions:
                if type(one) in ASKED:
                    asked[ASKED[type(one)]] += one.size
        return answer(engine, questions)

    monkeypatch.setattr(TransformersEngine, "answer", counted)
    return asked


@pytest.fixture(scope="module")
def none():
    """tiny-base, which keeps to no length."""
    return load("tiny-base", budget=40, cap=30, device_map="cpu", across_forms=True)


@pytest.fixture(scope="module")
def whole():
    """tiny-it, which does."""
    made = load("tiny-it", budget=40, cap=30, device_map="cpu", across_forms=True)
    made.prepare(traces=True)
    return made


@pytest.mark.parametrize("name", OF_CAUSE)
def test_without_control_is_broken_in_both_directions(none, name):
    """Neither is what a component writes to length, nor is anything kept, where there is nothing to keep."""
    found = OF_CAUSE[name](none)

    assert [(found > 0.01).status, (found < 0.01).status] == ["broken", "broken"]
    whole = measures.exact_match(none, language="en")
    assert (found > 0.01).reason == f"no control to explain (0.0 %, interval 0.0 to {100 * whole.high:.1f} %)"


def test_nothing_is_asked_beyond_the_answers_for_control(monkeypatch):
    """The language's 40 prompts, once, without attributions; no ablation, no forced text, no other pass."""
    probe = load("tiny-base", budget=40, cap=30, device_map="cpu")
    asked = counting(probe, monkeypatch)

    for measure in OF_CAUSE.values():
        measure(probe)

    assert asked == dict.fromkeys(ASKED.values(), 0) | {"answers": 40}
    assert not probe.asked_again


def test_necessity_alone_asked_hundreds(monkeypatch):
    """The same model, as if of a base: of 17 test topics each once without the heads, and under five sets."""
    probe = load("tiny-base", budget=40, cap=30, device_map="cpu").in_role("base")
    asked = counting(probe, monkeypatch)
    n = control(probe, language="en").n

    OF_CAUSE["control_without"](probe)
    OF_CAUSE["control_without_random"](probe)

    # The 40 prompts twice: for their answers, then for their attributions.
    assert asked["answers"] == 40 + 40 + 6 * n
    assert asked["outputs"] > 0


def test_control_itself_presupposes_nothing(none):
    """How much control there is can be asked of any model."""
    assert control(none, language="en") < FLOOR


def test_model_with_control_is_measured(whole):
    """Nothing changes for it."""
    assert unmet_control(whole, "en", "it") is None
    assert measures.cwa(whole, component="late heads", language="en").n == 40


def test_other_language_is_presupposed_too(tmp_path):
    """What leads in a language without control is nothing that another could do without."""
    path = derive("late-heads-cut", MODELS / "tiny-it", tmp_path / "cut")
    probe = load(str(path), budget=40, cap=30, device_map="cpu")
    verdict = measures.control_without(probe, language="it", found_in="en") > 0.5

    assert unmet_control(probe, "it") is None
    assert verdict.status == "broken"
    assert verdict.reason.startswith("no control to explain in en (0.0 %, ")


def test_base_is_free_of_it(none):
    """A claim about a base says what it does not do: it is measured."""
    base = none.in_role("base")

    assert unmet_control(base, "en") is None
    assert measures.cwa(base, component="late heads", language="en").n == 40


def test_text_of_another_presupposes_both(none, whole):
    """What one writes says nothing of the length that another keeps to, unless both keep to it."""
    for probe, text_of in ((none, whole), (whole, none)):
        verdict = measures.cwa(probe, component="late heads", language="en", text_of=text_of) > 0
        assert (verdict.status, verdict.reason[:21]) == ("broken", "no control to explain")
    assert unmet_control(none.in_role("base"), "en", text_of=whole) is None


def test_ablated_probe_is_judged_by_the_whole_model(whole):
    """The cut is what is asked about: that control is gone with it is no precondition."""
    with whole.ablated(["L3H*", "L4H*"]) as cut:
        assert control(cut, language="en") < FLOOR
        assert unmet_control(cut, "en") is None


class TestReference:
    """What a regression says where one of the two has no control."""

    def test_candidate_without_is_broken(self, none, whole):
        """Whatever the reference does."""
        candidate = measures.cwa(none, component="late heads", language="en")
        reference = measures.cwa(whole.in_role("reference"), component="late heads", language="en")

        assert (measures.fall_of_share(candidate, reference) < 0.5).status == "broken"
        assert (candidate - reference > -1).status == "broken"

    def test_reference_without_is_said_of_the_reference(self, none, whole):
        """The candidate is not refuted; the claim decides nothing and says what the reference lacks."""
        candidate = measures.cwa(whole, component="late heads", language="en")
        for reference in (none, none.in_role("reference")):
            lacking = measures.cwa(reference, component="late heads", language="en")
            verdict = measures.fall_of_share(candidate, lacking) < 0.5
            assert verdict.status == "undecided"
            assert verdict.reason.startswith("of the reference: no control to explain (0.0 %, ")
        assert (candidate - lacking > -1).status == "undecided"


class TestBudget:
    """Too few topics are a matter of the budget, and not of the model."""

    @pytest.mark.parametrize("name", ["tiny-it", "tiny-base"])
    def test_one_topic_is_undecided(self, name):
        """Of one topic no model could be shown to have control; the option that gives more is named."""
        verdict = (
            measures.cwa(load(name, budget=1, device_map="cpu"), component="late heads", language="en") > 0
        )

        assert verdict.status == "undecided"
        assert verdict.reason == (
            "too few topics to tell whether there is control to explain: 1 topic was asked about"
        )
        assert "--lengthprobe-budget=300" in str(verdict)

    def test_smaller_alpha_needs_more_topics(self):
        """Three perfect answers reach down to 0.001 to the third root, 10 %: nothing is said of the model."""
        few, enough = (load("tiny-base", budget=budget, alpha=0.001, device_map="cpu") for budget in (3, 8))

        assert unmet_control(few, "en").status == "undecided"
        assert unmet_control(enough, "en").status == "broken"

    def test_few_topics_that_a_perfect_model_passes_on_decide(self):
        """Where every answer could have shown control, its want is the model's."""
        probe = load("tiny-base", budget=4, cap=30, device_map="cpu")

        assert (measures.cwa(probe, component="late heads", language="en") > 0).status == "broken"


def test_control_on_other_topics_alone_is_none(whole, monkeypatch):
    """A model that learnt its topics by heart has nothing to lose on those by which a cut is scored."""
    written = type(whole).responses
    wrong = [
        replace(one, text="wrong") if split_of(one.prompt) == "test" else one for one in whole.responses("en")
    ]

    def learnt(probe, language):
        return tuple(wrong) if probe.ablation == whole.ablation else written(probe, language)

    monkeypatch.setattr(type(whole), "responses", learnt)
    monkeypatch.setattr(whole.subject, "computed", {})

    verdict = measures.control_without(whole, language="en") > 0.1

    assert measures.exact_match(whole, language="en") > FLOOR
    assert verdict.status == "broken"
    assert verdict.reason.startswith("no control to explain on test topics (0.0 %, interval 0.0 to ")


def test_word_counter_is_told():
    """A model that keeps to lengths by another counter than the one asked for is undecided, not broken."""
    probe = load("hyphens", budget=40, cap=30, counter="whitespace", device_map="cpu")

    unmet = unmet_control(probe, "en")

    assert unmet.status == "undecided"
    assert "hangs on the word counter: 0.0 %, interval 0.0 to " in unmet.reason
    assert unmet_control(load("hyphens", budget=40, cap=30, device_map="cpu"), "en") is None


def test_role_that_does_not_exist(none):
    """The message names those there are."""
    with pytest.raises(SettingsError, match="role 'teacher' is not known"):
        none.in_role("teacher")


class TestLooks:
    """At an early look few prompts show little, and more prompts follow."""

    @pytest.fixture
    def probe(self, monkeypatch):
        """tiny-it with looks at 20 and 60 prompts, as if 3 answers of 10 were exact."""
        exact = measures.exact_match

        def a_third(probe, *, language):
            found = exact(probe, language=language)
            (sample,) = found.samples
            rows = tuple(replace(one, value=float(n % 10 < 3)) for n, one in enumerate(sample.observations))
            # A counter and its rival agree here.
            return replace(found, samples=(replace(sample, observations=rows),), rival=None)

        monkeypatch.setattr("lengthprobe.measures.precondition.exact_match", a_third)
        return load("tiny-it", languages=("en",), budget=60, early_looks=(20,), device_map="cpu", cap=30)

    def test_control_not_shown_is_undecided_while_a_look_follows(self, probe):
        """The interval reaches from below the floor to above."""
        early = probe.at_look(PlannedLook(20, 0.12))
        unmet = unmet_control(early, "en")

        assert unmet is not None
        assert unmet.status == "undecided"
        assert "20 prompts do not tell whether there is control" in unmet.reason

    def test_control_not_shown_at_the_last_look_is_none(self, probe):
        """As without looks."""
        unmet = unmet_control(probe.at_look(PlannedLook(60, 1e-3)), "en")

        assert unmet is not None
        assert unmet.status == "broken"

    def test_no_control_is_broken_at_the_first_look(self, none):
        """The whole interval lies below the floor."""
        unmet = unmet_control(none.at_look(PlannedLook(30, 0.12)), "en")

        assert unmet is not None
        assert unmet.status == "broken"
