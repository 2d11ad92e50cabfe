"""Settings: every value is checked where it is given, and the option to mend is named."""

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.settings import Settings


def test_the_defaults_are_the_documented_ones():
    """English and Italian, 3 to 9 words, 300 prompts, alpha 0.05, a cap of 100 tokens."""
    settings = Settings()
    assert (settings.languages, settings.lengths) == (("en", "it"), (3, 4, 5, 6, 7, 8, 9))
    assert (settings.budget, settings.alpha, settings.cap, settings.counter) == (300, 0.05, 100, "uax29")


@pytest.mark.parametrize(
    ("bad", "option"),
    [
        ({"languages": ()}, "--lengthprobe-languages"),
        ({"lengths": ()}, "--lengthprobe-lengths"),
        ({"lengths": (0, 1)}, "--lengthprobe-lengths"),
        ({"lengths": (3, 3)}, "--lengthprobe-lengths"),
        ({"budget": 0}, "--lengthprobe-budget"),
        ({"alpha": 0.0}, "--lengthprobe-alpha"),
        ({"alpha": 1.0}, "--lengthprobe-alpha"),
        ({"alpha": float("nan")}, "--lengthprobe-alpha"),
        ({"cap": 0}, "--lengthprobe-cap"),
        ({"batch_size": 0}, "--lengthprobe-batch-size"),
        ({"counter": "letters"}, "--lengthprobe-counter"),
        ({"prompt_form": "sms"}, "--lengthprobe-prompt-form"),
        ({"dtype": "int8"}, "--lengthprobe-dtype"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_option(bad, option):
    """The error says which option to type, with a value that works."""
    with pytest.raises(SettingsError) as caught:
        Settings(**bad)
    assert caught.value.fix.startswith(option)
