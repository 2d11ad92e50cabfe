"""The prompt stream: balanced from its first prompt, never a prompt twice, the same on every machine."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from hashlib import sha256
from itertools import chain, product
from typing import TYPE_CHECKING

import pytest

from lengthprobe.errors import LanguageError, SettingsError
from lengthprobe.statistics.looks import looks
from lengthprobe.task.languages import NO_TOPIC, available, load_language
from lengthprobe.task.prompts import Prompt, prompt_stream, prompts, split_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

LENGTHS = (3, 4, 5, 6, 7, 8, 9)
LANGUAGES = available()
# The order hangs on no language (test_languages_pair_by_topic): what is said of it is tried in two.
ORDERED = ("en", "it")
TOPICAL = ("paper-topic", "imperative", "question", "polite", "constraint-first", "constraint-last", "terse")


@cache
def every_prompt(language: str) -> tuple[Prompt, ...]:
    """All prompts for 1, 5 and 21 words, the last of which has no number word."""
    return tuple(chain.from_iterable(prompt_stream(language, lengths=(n_words,)) for n_words in (1, 5, 21)))


def spelled(prompt: Prompt) -> bool:
    """Whether the number is written as a word."""
    return not re.search("[0-9]", prompt.text)


def spread(seen: Counter[Hashable], possible: Iterable[Hashable]) -> int:
    """The most seen less the least seen, of what is possible."""
    counts = [seen[value] for value in possible]
    return max(counts) - min(counts)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("language", ORDERED)
@pytest.mark.parametrize("lengths", [LENGTHS, (1,), (2, 5, 12)])
def test_every_beginning_is_balanced(language: str, lengths: tuple[int, ...], seed: int) -> None:
    """Up to the default budget, no length, wording or spelling is ahead of another by more than one."""
    seen: Counter[Hashable] = Counter()
    for prompt in prompts(language, lengths=lengths, seed=seed):
        seen.update([("length", prompt.n_words), prompt.template, spelled(prompt)])
        assert spread(seen, (("length", n_words) for n_words in lengths)) <= 1
        assert spread(seen, TOPICAL) <= 1
        assert spread(seen, (False, True)) <= 1


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("language", ORDERED)
def test_pairs_are_nearly_balanced(language: str, seed: int) -> None:
    """Length, wording and spelling are even against each other, within 3 on the way and within 2 at 300."""
    seen: Counter[Hashable] = Counter()
    for prompt in prompts(language, seed=seed):
        seen[prompt.n_words, spelled(prompt)] += 1
        if prompt.topic != NO_TOPIC:
            seen[prompt.n_words, prompt.template] += 1
            seen[prompt.template, spelled(prompt)] += 1
        assert spread(seen, product(LENGTHS, TOPICAL)) <= 3
        assert spread(seen, product(LENGTHS, (False, True))) <= 3
        assert spread(seen, product(TOPICAL, (False, True))) <= 3
    assert spread(seen, product(LENGTHS, TOPICAL)) <= 2
    assert spread(seen, product(LENGTHS, (False, True))) <= 2
    assert spread(seen, product(TOPICAL, (False, True))) <= 2


@pytest.mark.parametrize("language", ORDERED)
def test_new_topics_come_before_second_prompts(language: str) -> None:
    """600 topics and the wording without one: each pass of 601 prompts has every one of them once."""
    topics = [prompt.topic for prompt in prompts(language, budget=1202)]

    every = {*load_language(language).topics, NO_TOPIC}
    assert [set(topics[start : start + 601]) for start in (0, 601)] == [every, every]
    assert topics[:601] != topics[601:]


@pytest.mark.parametrize("language", ORDERED)
def test_further_topics_come_after_the_others(language: str) -> None:
    """In each pass: 150 topics and the wording without one, then 450."""
    topics = load_language(language).topics
    further = [
        prompt.topic != NO_TOPIC and topics[prompt.topic].is_further
        for prompt in prompts(language, budget=1202)
    ]

    assert further == 2 * [*151 * [False], *450 * [True]]


@pytest.mark.parametrize("language", ORDERED)
def test_both_halves_are_in_every_look(language: str) -> None:
    """A claim of cause finds components on one half, and cuts them on the other."""
    halves = [split_of(prompt) for prompt in prompts(language, budget=450)]

    for look in looks(450):
        assert 0.4 < halves[: look.prompts].count("test") / look.prompts < 0.6


@pytest.mark.parametrize("language", ORDERED)
def test_a_topic_rarely_meets_a_length_or_a_wording_again(language: str) -> None:
    """With two prompts a topic, 19 of 20 topics have two lengths and two wordings."""
    seen = Counter(
        (prompt.topic, value)
        for prompt in prompts(language, budget=1202)
        if prompt.topic != NO_TOPIC
        for value in (prompt.n_words, prompt.template)
    )

    assert sum(count > 1 for count in seen.values()) <= 2 * 600 / 20


@pytest.mark.parametrize("language", ORDERED)
def test_a_larger_budget_extends_a_smaller_one(language: str) -> None:
    """The first prompts do not depend on how many are asked for."""
    whole = prompts(language, budget=350)

    for budget in (1, 151, 152, 300):
        assert prompts(language, budget=budget) == whole[:budget]


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_pair_by_topic(language: str) -> None:
    """Every language asks for English's lengths about its topics in its wordings and its order."""
    english, other = prompts("en"), prompts(language)

    assert [(prompt.n_words, prompt.topic, prompt.template, spelled(prompt)) for prompt in english] == [
        (prompt.n_words, prompt.topic, prompt.template, spelled(prompt)) for prompt in other
    ]


def test_the_seed_orders_the_stream() -> None:
    """Another seed begins with other topics."""
    assert {prompt.topic for prompt in prompts("en", budget=20)} != {
        prompt.topic for prompt in prompts("en", budget=20, seed=1)
    }


@pytest.mark.parametrize(
    ("language", "digest"),
    [
        ("de", "57b3ba0c6ad042d6c93c43b50bb45dac10f8ade618fd32adff5b09fce9efa046"),
        ("en", "ee4c3c2d01a77f93f8cab9f8fbc3e69d6d5c5a37bf7b489f525fb4f4b0044a8e"),
        ("es", "f604cd9029b460cb3607d15ebef8027838213718ae1b0be5f8453f90913f9c25"),
        ("fr", "e25c346a68fea87ec90b9627bb33d9767e4a3475d374fbf0281d61e23c6311e5"),
        ("it", "8c224cc80554ae22c243c979c9c71a4c5e4639944eee4135d4fb9887fcb22041"),
        ("lb", "a0eb3c40e87fb3766167c5617c368b69701e4f159045997f07158807a440df93"),
    ],
)
def test_the_first_prompts_never_change_by_accident(language: str, digest: str) -> None:
    """Measurements are kept under these ids: who changes them on purpose writes the new digest here."""
    ids = "".join(prompt.id for prompt in prompts(language, budget=450))

    assert sha256(ids.encode()).hexdigest() == digest


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_id_says_the_content(language: str) -> None:
    """Different prompts have different ids, of 16 hexadecimal digits."""
    ids = [prompt.id for prompt in every_prompt(language)]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{16}", identity) for identity in ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_is_asked_once_and_whole(language: str) -> None:
    """Every topic in every wording and spelling: none twice, no gap, no brace, a capital or digit first."""
    every = every_prompt(language)

    # Lengths 1 and 5 have digits and words, 21 has digits only: 5 prompts a topic and wording.
    assert len(every) == 5 * (600 * len(TOPICAL) + 1)
    assert len({prompt.text for prompt in every}) == len(every)
    for prompt in every:
        # French has a space before a question mark.
        text = prompt.text.replace(" ?", "?") if language == "fr" else prompt.text
        assert not re.search(r"  |[{}]|^\s|\s$|\s[,.?!:]|[,.?!:]{2}", text)
        first = text.lstrip("¿")[0]
        assert first.isupper() or first.isdigit()


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "(?:1|[Ee]in) Wort", "(?:5|[Ff]ünf|21) Wörter"),
        ("en", "(?:1|[Oo]ne) word", "(?:5|[Ff]ive|21) words"),
        ("es", "(?:1|[Uu]na) palabra", "(?:5|[Cc]inco|21) palabras"),
        ("fr", "(?:1|[Uu]n) mot", "(?:5|[Cc]inq|21) mots"),
        ("it", "(?:1|[Uu]na) parola", "(?:5|[Cc]inque|21) parole"),
        ("lb", "(?:1|[Ee]e) Wuert", "(?:5|[Ff]ënnef|21) Wierder"),
    ],
)
def test_one_word_is_singular(language: str, one: str, other: str) -> None:
    """Each prompt names its number and the counted noun once, the noun singular after 1."""
    for prompt in every_prompt(language):
        assert len(re.findall(rf"\b{one}\b", prompt.text)) == (prompt.n_words == 1)
        assert len(re.findall(rf"\b{other}\b", prompt.text)) == (prompt.n_words != 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_length_without_a_number_word_is_written_in_digits(language: str) -> None:
    """Number words end at 20; the other lengths keep theirs, balanced among themselves."""
    found = prompts(language, lengths=(5, 30), budget=200)

    assert not any(spelled(prompt) for prompt in found if prompt.n_words == 30)
    assert Counter(spelled(prompt) for prompt in found if prompt.n_words == 5) == {False: 50, True: 50}


def test_italian_is_elided_in_the_prompt() -> None:
    """No Italian prompt has a preposition beside the article that it should be contracted with."""
    for prompt in every_prompt("it"):
        assert not re.search(
            r"\b(su|di) (il|lo|la|l'|i|gli|le)\b|' |\b(lo|la|dello|della|sullo|sulla) [aeiou]", prompt.text
        )


@pytest.mark.parametrize(
    ("template", "n_words", "topic", "text"),
    [
        ("paper", 1, NO_TOPIC, "Generate exactly one word"),
        ("paper", 5, NO_TOPIC, "Generate exactly 5 words"),
        ("paper-topic", 5, "sea", "Generate exactly five words about the sea"),
        ("imperative", 1, "sea", "Write a text about the sea that is exactly 1 word long."),
        ("question", 5, "sea", "How would you describe the sea in exactly five words?"),
        ("polite", 1, "sea", "Please write exactly one word about the sea. Thank you!"),
        ("constraint-first", 5, "sea", "Using exactly 5 words, tell me about the sea."),
        (
            "constraint-last",
            5,
            "sea",
            "Write something about the sea. Your whole answer must be exactly five words long.",
        ),
        ("terse", 5, "sea", "Five words about the sea, no more, no less."),
    ],
)
def test_english_wordings(template: str, n_words: int, topic: str, text: str) -> None:
    """Each English wording as a model gets it; one that begins with the number begins with a capital."""
    found = [(prompt.template, prompt.n_words, prompt.topic, prompt.text) for prompt in every_prompt("en")]

    assert (template, n_words, topic, text) in found


@pytest.mark.parametrize(
    ("template", "n_words", "topic", "text"),
    [
        ("paper", 1, NO_TOPIC, "Genera esattamente una parola"),
        ("paper", 5, NO_TOPIC, "Genera esattamente 5 parole"),
        ("paper-topic", 5, "friendship", "Genera esattamente cinque parole sull'amicizia"),
        ("imperative", 1, "friendship", "Scrivi un testo di esattamente 1 parola sull'amicizia."),
        ("question", 5, "friendship", "Come descriveresti l'amicizia in esattamente cinque parole?"),
        ("polite", 1, "sea", "Potresti scrivermi esattamente una parola sul mare, per favore?"),
        ("constraint-first", 5, "sea", "Usando esattamente 5 parole, parlami del mare."),
        (
            "constraint-last",
            5,
            "zoo",
            "Raccontami qualcosa sullo zoo. L'intera risposta deve essere di esattamente cinque parole.",
        ),
        ("terse", 5, "bears", "Cinque parole sugli orsi, né una di più né una di meno."),
    ],
)
def test_italian_wordings(template: str, n_words: int, topic: str, text: str) -> None:
    """Each Italian wording as a model gets it."""
    found = [(prompt.template, prompt.n_words, prompt.topic, prompt.text) for prompt in every_prompt("it")]

    assert (template, n_words, topic, text) in found


@pytest.mark.parametrize(
    ("template", "n_words", "topic", "text"),
    [
        ("paper", 1, NO_TOPIC, "Generiere genau ein Wort"),
        ("paper", 5, NO_TOPIC, "Generiere genau 5 Wörter"),
        ("paper-topic", 5, "lake", "Generiere genau fünf Wörter über den See"),
        ("imperative", 1, "sea", "Schreibe einen Text über das Meer, der genau 1 Wort lang ist."),
        (
            "question",
            5,
            "love",
            "Wie würdest du die Liebe beschreiben, wenn du dafür genau fünf Wörter hättest?",
        ),
        ("polite", 1, "dogs", "Könntest du mir bitte genau ein Wort über Hunde schreiben?"),
        ("constraint-first", 5, "birds", "Verwende genau 5 Wörter und erzähl mir von Vögeln."),
        ("constraint-first", 1, "moon", "Verwende genau ein Wort und erzähl mir vom Mond."),
        (
            "constraint-last",
            5,
            "city",
            "Erzähl mir etwas über die Stadt. Deine ganze Antwort muss genau fünf Wörter lang sein.",
        ),
        ("terse", 1, "stars", "Ein Wort über die Sterne, nicht mehr und nicht weniger."),
    ],
)
def test_german_wordings(template: str, n_words: int, topic: str, text: str) -> None:
    """Each German wording as a model gets it, the noun never in the dative."""
    found = [(prompt.template, prompt.n_words, prompt.topic, prompt.text) for prompt in every_prompt("de")]

    assert (template, n_words, topic, text) in found


@pytest.mark.parametrize(
    ("template", "n_words", "topic", "text"),
    [
        ("paper", 1, NO_TOPIC, "Generéier genee ee Wuert"),
        ("paper", 5, NO_TOPIC, "Generéier genee 5 Wierder"),
        ("paper-topic", 5, "flowers", "Generéier genee fënnef Wierder iwwer d'Blummen"),
        ("imperative", 1, "flowers", "Schreif en Text iwwer d'Blummen, dee genee 1 Wuert laang ass."),
        (
            "question",
            5,
            "forest",
            "Wéi beschreifs du de Bësch, wann deng Äntwert genee fënnef Wierder laang soll sinn?",
        ),
        ("polite", 1, "sea", "Schreif mir w.e.g. genee ee Wuert iwwer d'Mier. Merci!"),
        ("constraint-first", 5, "tea", "Benotz genee 5 Wierder an erziel mir eppes iwwer den Téi."),
        (
            "constraint-last",
            5,
            "autumn",
            "Schreif eppes iwwer den Hierscht. Deng ganz Äntwert muss genee fënnef Wierder laang sinn.",
        ),
        ("terse", 1, "peace", "Ee Wuert iwwer de Fridden, net méi an net manner."),
    ],
)
def test_luxembourgish_wordings(template: str, n_words: int, topic: str, text: str) -> None:
    """Each Luxembourgish wording as a model gets it."""
    found = [(prompt.template, prompt.n_words, prompt.topic, prompt.text) for prompt in every_prompt("lb")]

    assert (template, n_words, topic, text) in found


def test_a_budget_beyond_all_prompts_is_refused() -> None:
    """At one length: 600 topics × 7 wordings × 2 spellings, and 2 prompts without a topic, are 8,402."""
    assert len(prompts("en", lengths=(3,), budget=8402)) == 8402

    with pytest.raises(SettingsError) as error:
        prompts("en", lengths=(3,), budget=8403)

    assert error.value.problem == "budget 8403: language 'en' has 8402 different prompts at lengths (3,)"
    assert error.value.fix.startswith("--lengthprobe-budget=8402, ")


@pytest.mark.parametrize("budget", [0, -1])
def test_a_budget_below_one_is_refused(budget: int) -> None:
    """There is no asking for no prompt."""
    with pytest.raises(SettingsError, match=f"budget {budget}: at least one prompt"):
        prompts("en", budget=budget)


@pytest.mark.parametrize("lengths", [(), (0, 3), (-1,), (3, 3)])
def test_a_length_that_cannot_be_asked_for_is_refused(lengths: tuple[int, ...]) -> None:
    """A stream is refused when it is asked for, not when its first prompt is."""
    with pytest.raises(SettingsError, match="at least one word, each length once"):
        prompt_stream("en", lengths=lengths)


def test_an_unknown_language_is_refused() -> None:
    """The error is that of the language."""
    with pytest.raises(LanguageError, match="language 'xx' is not known"):
        prompt_stream("xx")
