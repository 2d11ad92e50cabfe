"""Spelling: one message names its settings as its reader types them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.spelling import for_pytest, for_shell, settings_spelled, spell_message

MESSAGE = "a smaller format (setting:dtype=bfloat16), or setting:device-map=cuda:0."


@pytest.mark.parametrize(
    ("spell", "wanted"),
    [
        (for_pytest, "a smaller format (--lengthprobe-dtype=bfloat16), or --lengthprobe-device-map=cuda:0."),
        (for_shell, "a smaller format (--dtype=bfloat16), or --device-map=cuda:0."),
    ],
)
def test_each_face_has_its_own_options(spell, wanted):
    """What stands around a setting stays as it is."""
    with settings_spelled(spell):
        assert spell_message(MESSAGE) == wanted


def test_a_model_is_an_argument_in_a_shell():
    """The command takes it without an option."""
    with settings_spelled(for_shell):
        assert spell_message("setting:model=org/name:file.gguf") == "lengthprobe scan org/name:file.gguf"


def test_errors_are_spelled_for_pytest_where_the_plugin_runs():
    """As here."""
    error = SettingsError("cap 3 is too low", "setting:cap=40")
    assert str(error) == "cap 3 is too low\n  fix: --lengthprobe-cap=40"


def test_in_python_a_setting_is_an_argument():
    """Where neither pytest nor the command runs: switches have a value there."""
    code = (
        "from lengthprobe.errors import SettingsError\n"
        "print(SettingsError('x', 'setting:prompt-form=plain, setting:allow-pickle, or setting:model=a/b'))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[1] == (
        '  fix: prompt_form=plain, allow_pickle=True, or lengthprobe.load("a/b")'
    )
