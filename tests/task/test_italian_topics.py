"""The shipped Italian topics are well written: articles, elisions, agreement."""

from __future__ import annotations

import re

import pytest

from lengthprobe.task.languages import load_language


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
