"""The shipped languages are whole and well written."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from lengthprobe.task.languages import Language, available, load_language

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=available())
def shipped(request: pytest.FixtureRequest) -> Language:
    """Each language that lengthprobe ships."""
    return load_language(request.param)


def test_there_are_enough_topics_in_equal_halves(shipped: Language) -> None:
    """150 topics: with fewer, no rate under 2 % could be shown. Half of them are kept for scoring."""
    assert Counter(topic.split for topic in shipped.topics.values()) == {"discovery": 75, "test": 75}


def test_languages_share_topics_and_wordings(shipped: Language) -> None:
    """Topics pair across languages by key and half, wordings by id and form; and in the same order."""
    english = load_language("en")

    assert [(topic.key, topic.split) for topic in shipped.topics.values()] == [
        (topic.key, topic.split) for topic in english.topics.values()
    ]
    assert [(w.id, w.form, w.bare) for w in shipped.wordings] == [
        (w.id, w.form, w.bare) for w in english.wordings
    ]


def test_every_form_of_a_topic_is_used(shipped: Language) -> None:
    """A form that no wording asks for would never be read."""
    used = {form for wording in shipped.wordings for form in wording.topic_forms}

    assert {form for topic in shipped.topics.values() for form in topic.forms} == used


def test_ordinary_sentences_are_short_prose(shipped: Language) -> None:
    """40 sentences of 6 to 14 words, each with its capital and its full stop, no digit, no quotation mark."""
    assert len(shipped.ordinary) == 40
    for sentence in shipped.ordinary:
        assert 6 <= len(sentence.split()) <= 14
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not re.search(r"[0-9\"«»„“”‘():]", sentence)


def test_preambles_are_lower_case(shipped: Language) -> None:
    """They are found whatever their case, and none is written twice."""
    assert shipped.notes
    for phrases in (shipped.interjections, shipped.introductions, shipped.notes):
        assert len(set(phrases)) == len(phrases)
        assert list(phrases) == [phrase.lower() for phrase in phrases]


def test_wordings_differ_in_form(shipped: Language) -> None:
    """Seven wordings have a topic; the paper's own is there with and without one."""
    assert Counter((wording.form, wording.bare) for wording in shipped.wordings) == {
        ("paper", True): 1,
        ("paper", False): 1,
        ("imperative", False): 1,
        ("question", False): 1,
        ("polite", False): 1,
        ("constraint-first", False): 1,
        ("constraint-last", False): 1,
        ("terse", False): 1,
    }


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Generiere genau {n} {words}"),
        ("en", "Generate exactly {n} {words}"),
        ("es", "Genera exactamente {n} {words}"),
        ("fr", "Génère exactement {n} {words}"),
        ("it", "Genera esattamente {n} {words}"),
        ("lb", "Generéier genee {n} {words}"),
    ],
)
def test_the_bare_wording_is_the_papers(language: str, text: str) -> None:
    """arXiv:2509.02075 asks "Generate exactly N words"."""
    (bare,) = (wording for wording in load_language(language).wordings if wording.bare)

    assert bare.text == text


def test_no_two_topics_read_alike(shipped: Language) -> None:
    """Two topics of the same words would be one cluster under two names."""
    forms = [tuple(topic.forms.values()) for topic in shipped.topics.values()]

    assert len(set(forms)) == len(forms)


def test_number_words_differ(shipped: Language) -> None:
    """Twenty number words, all different."""
    assert sorted(shipped.numbers) == list(range(1, 21))
    assert len(set(shipped.numbers.values())) == 20


@pytest.mark.parametrize(
    ("language", "one"),
    [("de", "ein"), ("en", "one"), ("es", "una"), ("fr", "un"), ("it", "una"), ("lb", "ee")],
)
def test_one_agrees_with_the_noun(language: str, one: str) -> None:
    """Feminine in Italian and Spanish, masculine in French, neuter in German and Luxembourgish."""
    assert load_language(language).numbers[1] == one


@pytest.mark.parametrize(
    ("key", "il", "su", "di"),
    [
        ("sea", "il mare", "sul mare", "del mare"),  # masculine before a consonant
        ("dogs", "i cani", "sui cani", "dei cani"),
        ("zoo", "lo zoo", "sullo zoo", "dello zoo"),  # before z, s with a consonant, y
        ("yoga", "lo yoga", "sullo yoga", "dello yoga"),
        ("mirrors", "gli specchi", "sugli specchi", "degli specchi"),
        ("love", "l'amore", "sull'amore", "dell'amore"),  # before a vowel
        ("bears", "gli orsi", "sugli orsi", "degli orsi"),  # the plural is not elided
        ("moon", "la luna", "sulla luna", "della luna"),  # feminine
        ("friendship", "l'amicizia", "sull'amicizia", "dell'amicizia"),
        ("islands", "le isole", "sulle isole", "delle isole"),
        ("school", "la scuola", "sulla scuola", "della scuola"),  # s with a consonant is no matter here
        ("uncles", "gli zii", "sugli zii", "degli zii"),
        ("chess", "gli scacchi", "sugli scacchi", "degli scacchi"),  # plural only
        ("boots", "gli stivali", "sugli stivali", "degli stivali"),
        ("shopping", "lo shopping", "sullo shopping", "dello shopping"),  # sh counts as s with a consonant
        ("needles", "gli aghi", "sugli aghi", "degli aghi"),
        ("hobbies", "gli hobby", "sugli hobby", "degli hobby"),  # h is silent
        ("jazz", "il jazz", "sul jazz", "del jazz"),  # j sounds as a consonant
        ("kings", "i re", "sui re", "dei re"),  # the plural is the singular
        ("eggs", "le uova", "sulle uova", "delle uova"),  # masculine in the singular, feminine in the plural
        ("bones", "le ossa", "sulle ossa", "delle ossa"),
        ("fingers", "le dita", "sulle dita", "delle dita"),
        ("hands", "le mani", "sulle mani", "delle mani"),  # feminine: la mano
        ("radios", "la radio", "sulla radio", "della radio"),
        ("steel", "l'acciaio", "sull'acciaio", "dell'acciaio"),
        ("fireworks", "i fuochi d'artificio", "sui fuochi d'artificio", "dei fuochi d'artificio"),
        (
            *("instruments", "gli strumenti musicali"),
            *("sugli strumenti musicali", "degli strumenti musicali"),
        ),
        ("opera", "l'opera lirica", "sull'opera lirica", "dell'opera lirica"),
    ],
)
def test_italian_articles_and_elisions(key: str, il: str, su: str, di: str) -> None:
    """Articles agree in gender and number, and are elided before a vowel in the singular."""
    assert dict(load_language("it").topics[key].forms) == {"il": il, "su": su, "di": di}


def test_italian_prepositions_agree_with_the_article() -> None:
    """In every topic, su and di are contracted with the very article that the topic has."""
    contracted = {
        "il ": ("sul ", "del "),
        "lo ": ("sullo ", "dello "),
        "la ": ("sulla ", "della "),
        "l'": ("sull'", "dell'"),
        "i ": ("sui ", "dei "),
        "gli ": ("sugli ", "degli "),
        "le ": ("sulle ", "delle "),
    }
    for topic in load_language("it").topics.values():
        (article,) = (article for article in contracted if topic.forms["il"].startswith(article))
        noun = topic.forms["il"].removeprefix(article)
        assert (topic.forms["su"], topic.forms["di"]) == tuple(start + noun for start in contracted[article])


# These sounds take lo and gli, as in lo zio, lo scoglio, lo gnomo, lo psicologo, lo pneumatico, lo iodio.
_TAKES_LO = re.compile("[xyz]|s[^aeiou]|gn|ps|pn|i[aeou]")
_ITALIAN_VOWEL = re.compile("h?[aeiouàèéìòù]")


def test_italian_articles_suit_the_sound_that_follows() -> None:
    """A vowel takes l' or gli or le; z, y, s with a consonant and their like take lo or gli if masculine."""
    for topic in load_language("it").topics.values():
        article, noun = topic.forms["il"].replace("'", "' ", 1).split(maxsplit=1)
        impure = _TAKES_LO.match(noun) is not None
        vowel = not impure and _ITALIAN_VOWEL.match(noun) is not None
        assert (article == "l'") == (vowel and article not in ("gli", "le"))
        assert article not in ("il", "i") or not (vowel or impure)
        assert article not in ("lo", "gli") or vowel or impure
        assert article not in ("la",) or not vowel


@pytest.mark.parametrize(
    ("noun", "takes_lo"),
    [
        *((noun, True) for noun in ("zio", "yogurt", "xilofono", "scoglio", "sport", "gnomo", "psicologo")),
        *((noun, True) for noun in ("pneumatico", "iodio")),
        *((noun, False) for noun in ("sale", "giallo", "prato", "gelo", "inverno", "jazz", "hotel")),
    ],
)
def test_italian_sounds_that_take_lo(noun: str, takes_lo: bool) -> None:
    """The rule of the test above knows sounds that no topic begins with."""
    assert (_TAKES_LO.match(noun) is not None) == takes_lo


def test_italian_genders_against_the_ending() -> None:
    """A noun in o is masculine, in a feminine; feminine plurals end in e or i. The others are these."""
    against = {"il": "a", "lo": "a", "la": "o", "i": "ae", "gli": "ae", "le": "ao", "l'": ""}
    found = set()
    for topic in load_language("it").topics.values():
        article, noun = topic.forms["il"].replace("'", "' ", 1).split(maxsplit=1)
        if noun.split()[0][-1] in against[article]:
            found.add(topic.forms["il"])

    assert found == {
        *("il cinema", "lo yoga", "la radio", "le moto"),  # shortened, or taken from elsewhere
        *("le uova", "le dita", "le ossa"),  # old neuters
        *("i paracadute", "i re"),  # the plural is the singular
    }


@pytest.mark.parametrize(
    ("key", "el", "sobre", "de"),
    [
        ("sea", "el mar", "sobre el mar", "del mar"),  # masculine, contracted with de and never with sobre
        ("love", "el amor", "sobre el amor", "del amor"),  # a vowel changes nothing
        ("moon", "la luna", "sobre la luna", "de la luna"),  # feminine
        ("dogs", "los perros", "sobre los perros", "de los perros"),
        ("islands", "las islas", "sobre las islas", "de las islas"),
        ("water", "el agua", "sobre el agua", "del agua"),  # feminine with a stressed a
        ("hunger", "el hambre", "sobre el hambre", "del hambre"),  # h is silent
        ("harps", "el arpa", "sobre el arpa", "del arpa"),
        ("wings", "las alas", "sobre las alas", "de las alas"),  # the plural keeps its article
        ("anchors", "las anclas", "sobre las anclas", "de las anclas"),
        ("flour", "la harina", "sobre la harina", "de la harina"),  # the a is not stressed
        ("sand", "la arena", "sobre la arena", "de la arena"),
        ("confidence", "la autoestima", "sobre la autoestima", "de la autoestima"),
        ("comets", "los cometas", "sobre los cometas", "de los cometas"),  # masculine: in the sky
        ("kites", "las cometas", "sobre las cometas", "de las cometas"),  # feminine: on a string
        ("planets", "los planetas", "sobre los planetas", "de los planetas"),  # masculine in a
        ("hands", "las manos", "sobre las manos", "de las manos"),  # feminine in o
        ("radios", "la radio", "sobre la radio", "de la radio"),
        ("mathematics", "las matemáticas", "sobre las matemáticas", "de las matemáticas"),  # plural only
        ("jealousy", "los celos", "sobre los celos", "de los celos"),
        ("judges", "a los jueces", "sobre los jueces", "de los jueces"),  # people take a, in el alone
        ("mothers", "a las madres", "sobre las madres", "de las madres"),
        ("dentists", "a los dentistas", "sobre los dentistas", "de los dentistas"),
        ("families", "a la familia", "sobre la familia", "de la familia"),
        ("peacocks", "los pavos reales", "sobre los pavos reales", "de los pavos reales"),
    ],
)
def test_spanish_articles(key: str, el: str, sobre: str, de: str) -> None:
    """Articles agree in gender and number; de is contracted with el, and people are objects with a."""
    assert dict(load_language("es").topics[key].forms) == {"el": el, "sobre": sobre, "de": de}


def _spanish_articles_and_nouns() -> Iterator[tuple[str, str]]:
    """The article and the noun of each Spanish topic, without the a of people."""
    for topic in load_language("es").topics.values():
        article, noun = topic.forms["el"].removeprefix("a ").split(maxsplit=1)
        yield article, noun


def test_spanish_prepositions_agree_with_the_article() -> None:
    """In every topic, de is contracted with el alone, and sobre with no article."""
    with_de = {"el": "del", "la": "de la", "los": "de los", "las": "de las"}
    topics = load_language("es").topics.values()
    for topic, (article, noun) in zip(topics, _spanish_articles_and_nouns(), strict=True):
        assert topic.forms["sobre"] == f"sobre {article} {noun}"
        assert topic.forms["de"] == f"{with_de[article]} {noun}"


def _stresses_a_first_a(noun: str) -> bool:
    """Whether the first sound of a Spanish noun is an a, and stressed."""
    if not re.match("h?[aá]", noun):
        return False
    # One vowel with its glides is one syllable; an accent on i or u makes a syllable of its own.
    syllables = re.findall("(?:[iuü](?=[aeoáéó]))?[aeoáéó](?:[iu](?![aeoáéó]))?|[iuíúü]", noun)
    accents = [place for place, syllable in enumerate(syllables) if re.search("[áéíóú]", syllable)]
    unmarked = len(syllables) - (2 if re.search("[aeiouns]$", noun) else 1)
    return (accents[0] if accents else max(unmarked, 0)) == 0


@pytest.mark.parametrize(
    ("noun", "is_stressed"),
    [
        *((noun, True) for noun in ("agua", "águila", "hambre", "arpa", "ala", "aula", "hacha", "área")),
        *((noun, False) for noun in ("arena", "harina", "almohada", "armonía", "alegría", "ambición")),
        *((noun, False) for noun in ("autoestima", "amistad", "aventura", "igualdad", "luna")),
    ],
)
def test_spanish_stress(noun: str, is_stressed: bool) -> None:
    """Before n, s or a vowel at the end the last syllable but one is stressed, if no accent says other."""
    assert _stresses_a_first_a(noun) == is_stressed


def test_spanish_feminine_nouns_with_a_stressed_a() -> None:
    """In the singular they take el; the feminine article stands before no stressed a."""
    topics = list(_spanish_articles_and_nouns())

    assert not [noun for article, noun in topics if article == "la" and _stresses_a_first_a(noun.split()[0])]
    assert {noun for article, noun in topics if article == "el" and _stresses_a_first_a(noun)} == {
        *("agua", "águila", "arpa", "hambre"),  # feminine
        *("aire", "arte"),  # masculine, in the singular
    }


def test_spanish_genders_against_the_ending() -> None:
    """A noun in o is masculine; a noun in a, ión, dad or tud is feminine. The others are these."""
    against = {"el": "(a|ión|dad|tud)", "la": "o", "los": "(a|ione|dade|tude)s", "las": "os"}
    found = {
        f"{article} {noun}"
        for article, noun in _spanish_articles_and_nouns()
        if re.search(f"{against[article]}$", noun.split()[0])
    }

    assert found == {
        *("el agua", "el águila", "el arpa"),  # feminine with a stressed a
        *("los aviones", "el yoga", "el mediodía", "los idiomas"),
        *("los mapas", "los planetas", "los cometas"),
        *("los paraguas", "los paracaídas", "los rompecabezas"),  # made of a verb and a feminine noun
        *("los dentistas", "los fantasmas", "los piratas", "los turistas"),
        *("la radio", "las motos", "las manos"),
    }


@pytest.mark.parametrize(
    ("key", "akk", "von"),
    [
        ("lake", "den See", "vom See"),  # masculine: the lake, and not the sea
        ("sea", "das Meer", "vom Meer"),  # neuter
        ("love", "die Liebe", "von der Liebe"),  # feminine
        ("stars", "die Sterne", "von den Sternen"),  # the dative plural has its n
        ("birds", "Vögel", "von Vögeln"),  # in general, without an article
        ("bears", "Bären", "von Bären"),
        ("bread", "Brot", "von Brot"),
    ],
)
def test_german_cases(key: str, akk: str, von: str) -> None:
    """The accusative after über, the dative after von, contracted where it is."""
    assert dict(load_language("de").topics[key].forms) == {"akk": akk, "von": von}


def test_german_prepositions_agree_with_the_article() -> None:
    """In every topic, von is contracted with the article that the topic has; plurals end in n."""
    contracted = {"den ": "vom ", "das ": "vom ", "die ": "von der "}
    for topic in load_language("de").topics.values():
        akk, von = topic.forms["akk"], topic.forms["von"]
        article = next((article for article in contracted if akk.startswith(article)), "")
        if von.startswith("von den "):
            assert article == "die "
            assert von.endswith("n")
        elif article:
            assert von == contracted[article] + akk.removeprefix(article)
        else:
            assert von in (f"von {akk}", f"von {akk}n", f"von {akk}en")


# A final n is lost before any consonant but these (and y, of which nothing is said here).
_KEEPS_N = "aeiouäöüëéèâêîôûndtzh"


def test_luxembourgish_articles_follow_the_n_rule() -> None:
    """The masculine article is den before a vowel, n, d, t, z, h, and de before any other consonant."""
    for topic in load_language("lb").topics.values():
        article, noun = topic.forms["akk"].replace("'", "' ").split()
        assert article in ("d'", "de", "den")
        assert article == "d'" or (article == "den") == (noun[0].lower() in _KEEPS_N)


def test_luxembourgish_numbers_follow_the_n_rule() -> None:
    """Ee and siwe lose their n before Wuert and Wierder; the rest have none to lose."""
    numbers = load_language("lb").numbers

    assert (numbers[1], numbers[7]) == ("ee", "siwe")
    assert not any(number.endswith("n") for number in numbers.values())


def test_luxembourgish_topics_keep_their_n() -> None:
    """Every wording has the topic where the n-rule takes nothing: before punctuation or at the end."""
    for wording in load_language("lb").wordings:
        assert wording.bare or re.search(r"\{akk\}(?:[,.?!]|$)", wording.text)


def test_luxembourgish_sentences_follow_the_n_rule() -> None:
    """An n is lost before a consonant that takes it; articles and their like keep it before the others."""
    language = load_language("lb")
    for text in (*language.ordinary, *(wording.text for wording in language.wordings)):
        assert not re.search(rf"n (?![{_KEEPS_N}{{])\w", text, re.IGNORECASE), text
        assert not re.search(rf"\b(?:de|e|dee|ee|a|vu|hu|hie|kee|mäi|säi) [{_KEEPS_N}]", text), text


def test_luxembourgish_articles_are_elided() -> None:
    """D' stands at its noun, with no space after it."""
    for topic in load_language("lb").topics.values():
        assert re.fullmatch(r"(?:d'|den? )[A-ZÄÉË][a-zäëéèü]+", topic.forms["akk"])
