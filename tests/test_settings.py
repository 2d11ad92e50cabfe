"""Settings: every value is checked where it is given, and the option to mend is named."""

import numpy as np
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


@pytest.mark.parametrize(
    ("bad", "option"),
    [
        ({"languages": (1,)}, "--lengthprobe-languages"),
        ({"lengths": ("3",)}, "--lengthprobe-lengths"),
        ({"lengths": (3.5,)}, "--lengthprobe-lengths"),
        ({"lengths": (10**9,)}, "--lengthprobe-lengths"),
        ({"lengths": "3-9"}, "--lengthprobe-lengths"),
        ({"budget": 2.5}, "--lengthprobe-budget"),
        ({"budget": True}, "--lengthprobe-budget"),
        ({"budget": 10**5000}, "--lengthprobe-budget"),
        ({"seed": 2**63}, "--lengthprobe-seed"),
        ({"cap": "100"}, "--lengthprobe-cap"),
        ({"batch_size": 1.0}, "--lengthprobe-batch-size"),
        ({"alpha": "0.05"}, "--lengthprobe-alpha"),
        ({"alpha": 0.3}, "--lengthprobe-alpha"),
        ({"alpha": 1e-9}, "--lengthprobe-alpha"),
        ({"system_prompt": 7}, "--lengthprobe-system-prompt"),
        ({"device_map": {"": 0}}, "--lengthprobe-device-map"),
        ({"thinking": "on"}, "--lengthprobe-thinking"),
        ({"allow_pickle": "no"}, "allow_pickle"),
        ({"allow_remote_code": 1}, "allow_remote_code"),
        ({"across_forms": "off"}, "across_forms"),
        ({"budget": 2**63}, "--lengthprobe-budget"),
        ({"cap": 2**63}, "--lengthprobe-cap"),
        ({"batch_size": 2**63}, "--lengthprobe-batch-size"),
        ({"batch_size": 1.5}, "--lengthprobe-batch-size"),
        ({"seed": -(2**63)}, "--lengthprobe-seed"),
        ({"alpha": 1e-300}, "--lengthprobe-alpha"),
        ({"alpha": 0.5}, "--lengthprobe-alpha"),
        ({"lengths": (1001,)}, "--lengthprobe-lengths"),
        ({"lengths": (2.5,)}, "--lengthprobe-lengths"),
        ({"device_map": ""}, "--lengthprobe-device-map"),
        ({"thinking": "deeply"}, "--lengthprobe-thinking"),
    ],
)
def test_a_value_of_another_kind_names_its_option(bad, option):
    """So it does of a value that is of another kind than the option's, or far beyond what can be run."""
    with pytest.raises(SettingsError) as caught:
        Settings(**bad)
    assert caught.value.fix.startswith(option)


def test_numbers_of_other_libraries_are_kept_as_plain_ones():
    """A number of numpy's is a number, and is written as Python writes its own."""
    settings = Settings(lengths=[np.int64(3), np.int64(5)], budget=np.int64(20))
    assert (repr(settings.lengths), repr(settings.budget)) == ("(3, 5)", "20")


@pytest.mark.parametrize(
    "ends", [{"alpha": 1e-6}, {"alpha": 0.2}, {"seed": 2**63 - 1}, {"lengths": (1, 1000)}]
)
def test_the_limits_themselves_are_values(ends):
    """The ends of what is allowed are allowed."""
    ((name, value),) = ends.items()
    assert getattr(Settings(**ends), name) == value
