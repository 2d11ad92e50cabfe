"""What a chat template makes of a prompt, looked at once a checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.chat.template import chat_text, render
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.measures import exact_match
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

SETTINGS = Settings(languages=("en",), budget=30)
SYSTEM = Settings(languages=("en",), budget=30, system_prompt="Be brief.")
# As tiny-it's own, but with the parts of each content.
IN_PARTS = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{% for part in m.content %}{% if part.type == 'text' %}{{ part.text | trim }}{% endif %}{% endfor %}"
    "<|eot_id|>{% endfor %}{% if add_generation_prompt %}"
    "<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
LOOP = "{% for m in messages %}"
CHATML = LOOP + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
OPENED = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
# Small versions of templates of published models.
HEALTHY = {
    "ChatML": CHATML + OPENED,
    "Llama 3.1": (
        "{{ bos_token }}{% if strftime_now is defined %}{% set day = strftime_now('%d %b %Y') %}{% endif %}"
        "{% if messages[0].role == 'system' %}{% set said = messages[0].content | trim %}"
        "{% set messages = messages[1:] %}{% else %}{% set said = '' %}{% endif %}"
        "<|start_header_id|>system<|end_header_id|>\n\nToday Date: {{ day }}\n\n{{ said }}<|eot_id|>"
        + LOOP
        + ""
        "<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
    ),
    "Qwen 2.5": (
        "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are Qwen.<|im_end|>\n{% endif %}"
        + CHATML
        + OPENED
    ),
    "Qwen 3": (
        LOOP + "{% set said = m.content.split('</think>')[-1].lstrip('\n') %}"
        "<|im_start|>{{ m.role }}\n{{ said }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}"
        "<|im_start|>assistant\n{% if enable_thinking is defined and enable_thinking is false %}"
        "<think>\n\n</think>\n\n{% endif %}{% endif %}"
    ),
    "Gemma": (
        "{{ bos_token }}{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n\n' %}"
        "{% set messages = messages[1:] %}{% else %}{% set first = '' %}{% endif %}" + LOOP + ""
        "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
        "{{ first if loop.first else '' }}{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
    ),
    # Neither opens the assistant's turn: the answer stands right after the request's.
    "Llama 2": (
        "{% if messages[0].role == 'system' %}"
        "{% set first = '<<SYS>>\n' + messages[0].content + '\n<</SYS>>\n\n' %}"
        "{% set messages = messages[1:] %}{% else %}{% set first = '' %}{% endif %}" + LOOP + ""
        "{% if m.role == 'user' %}{{ bos_token + '[INST] ' + (first if loop.first else '') + "
        "m.content | trim + ' [/INST]' }}{% else %}{{ ' ' + m.content | trim + ' ' + eos_token }}{% endif %}"
        "{% endfor %}"
    ),
    "Mistral": (
        "{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n\n' %}"
        "{% set messages = messages[1:] %}{% else %}{% set first = '' %}{% endif %}{{ bos_token }}"
        + LOOP
        + ""
        "{% if m.role == 'user' %}[INST] {{ first if loop.last or loop.first else '' }}{{ m.content }}[/INST]"
        "{% else %} {{ m.content | trim }}{{ eos_token }}{% endif %}{% endfor %}"
    ),
    "Phi 3": (
        LOOP + "<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}"
    ),
    "DialoGPT": LOOP + "{{ m.content }}{{ eos_token }}{% endfor %}",
    "Vicuna": (
        LOOP + "{% if m.role == 'system' %}{{ m.content }} {% elif m.role == 'user' %}USER: {{ m.content }} "
        "ASSISTANT:{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
    ),
    "Alpaca, of one turn": (
        "{% if messages[0].role == 'system' %}{{ messages[0].content }}\n\n{% set messages = messages[1:] %}"
        "{% endif %}### Instruction:\n{{ messages[0].content }}\n\n### Response:\n"
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of tiny-it."""
    source = resolve("tiny-it").path
    assert source is not None
    return shutil.copytree(source, tmp_path / "copy")


def _refused(copy: Path, template: str, settings: Settings = SETTINGS) -> ModelError:
    """The refusal of a template; in plain form the checkpoint is asked all the same."""
    (copy / "chat_template.jinja").write_text(template)
    with pytest.raises(ModelError) as raised:
        load_checkpoint(str(copy), settings)
    assert f"the chat template of {copy} ({copy / 'chat_template.jinja'})" in raised.value.problem
    return raised.value


@pytest.mark.parametrize("settings", [SETTINGS, SYSTEM], ids=["bare", "with a system prompt"])
@pytest.mark.parametrize("name", HEALTHY)
def test_published_templates(copy, name, settings):
    """Templates as they are published pass, with a system prompt and without."""
    (copy / "chat_template.jinja").write_text(HEALTHY[name])

    checkpoint = load_checkpoint(str(copy), settings)

    assert not checkpoint.in_parts
    for prompt in prompts("en", budget=30):
        assert render(checkpoint, prompt, settings)


def test_template_that_wants_parts(copy):
    """A template that goes through the parts of a content gets parts, and the model is judged as it is."""
    (copy / "chat_template.jinja").write_text(IN_PARTS)
    probe = Probe(str(copy), SETTINGS)

    assert exact_match(probe, language="en").mean == 1.0
    assert probe.checkpoint.in_parts


def test_parts_of_every_message(copy):
    """The system prompt is in parts too, and the end of the assistant's turn is found."""
    (copy / "chat_template.jinja").write_text(IN_PARTS)
    (copy / "generation_config.json").write_text('{"eos_token_id": 1}')
    (copy / "config.json").write_text(
        (copy / "config.json").read_text().replace('"eos_token_id": 2', '"eos_token_id": 1')
    )
    (copy / "tokenizer_config.json").write_text(
        (copy / "tokenizer_config.json")
        .read_text()
        .replace('"eos_token": "<|eot_id|>"', '"eos_token": "<|end_of_text|>"')
    )
    checkpoint = load_checkpoint(str(copy), SYSTEM)
    prompt = prompts("en", budget=1)[0]

    assert chat_text(checkpoint, prompt, SYSTEM) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        f"<|start_header_id|>user<|end_header_id|>\n\n{prompt.text}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert checkpoint.end_token_ids == (1, 2)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{{ m.content | upper }}", "changes what it is given"),
        ("{{ m.content[:20] }}", "changes what it is given"),
        ("{{ m.content[:20] | tojson }}", "changes what it is given"),
        ("{{ m.content.split() | join('  ') }}", "changes what it is given"),
        ("Hello", "changes what it is given"),
    ],
)
def test_request_that_is_not_in_the_prompt(copy, content, why):
    """A template that changes a request, or drops it, is refused, and the plain form does without."""
    error = _refused(copy, f"{LOOP}<|start_header_id|>{content}<|eot_id|>{{% endfor %}}{OPENED}")

    assert why in error.problem
    assert error.fix == "mend chat_template.jinja, or --lengthprobe-prompt-form=plain"
    plain = Settings(languages=("en",), budget=30, prompt_form="plain")
    assert render(load_checkpoint(str(copy), plain), prompts("en", budget=1)[0], plain)


@pytest.mark.parametrize("template", ["", "  \n"])
def test_empty_template(copy, template):
    """An empty template is named as empty."""
    assert "is empty" in _refused(copy, template).problem


def test_template_that_raises_on_loading(copy):
    """A template that fails is named with its file and its own words."""
    error = _refused(copy, "{{ raise_exception('Only tools may speak') }}")

    assert "failed: Only tools may speak" in error.problem


def test_system_prompt_that_is_refused(copy):
    """A template that knows no system message says so, and the fix is to leave the system prompt out."""
    refuses = "{% if messages[0].role == 'system' %}{{ raise_exception('No system role') }}{% endif %}"
    error = _refused(copy, refuses + CHATML + OPENED, SYSTEM)

    assert "failed with a system prompt: No system role" in error.problem
    assert error.fix.startswith("leave --lengthprobe-system-prompt out")
    assert load_checkpoint(str(copy), SETTINGS)


def test_system_prompt_that_is_dropped(copy):
    """A template that drops the system prompt in silence is refused, and passes without."""
    template = (
        CHATML.replace("{% for m in messages %}", "{% for m in messages if m.role != 'system' %}") + OPENED
    )
    error = _refused(copy, template, SYSTEM)

    assert "leaves the system prompt out: 'Be brief.' is not in it" in error.problem
    assert error.fix.startswith("leave --lengthprobe-system-prompt out")
    assert load_checkpoint(str(copy), SETTINGS)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (CHATML, "'<|im_start|>assistant' stands between a prompt and its answer"),
        (
            "{% set m = messages[0] %}<|start_header_id|>{{ m.content }}{{ eos_token }}",
            "a prompt ends with <|eot_id|>",
        ),
        (CHATML + OPENED.replace("if add", "if not add"), "and not where it is true"),
    ],
    ids=["header between", "end token", "inverted"],
)
def test_prompt_that_does_not_open_the_answer(copy, template, why):
    """A prompt that ends in the user's turn would be answered by another user."""
    assert why in _refused(copy, template).problem


def test_template_that_cuts_long_requests(copy):
    """A request that is too long for the template is found out when it is asked."""
    prompt = max(prompts("en", budget=300), key=lambda one: len(one.text))
    most = len(prompt.text) - 1
    checkpoint = load_checkpoint(str(copy), SETTINGS)
    (copy / "chat_template.jinja").write_text((CHATML + OPENED).replace("m.content", f"m.content[:{most}]"))
    cut = load_checkpoint(str(copy), Settings(languages=("en",), budget=2, lengths=(3,)))

    assert render(checkpoint, prompt, SETTINGS)
    with pytest.raises(ModelError, match="changes what it is given"):
        render(cut, prompt, SETTINGS)


@pytest.mark.parametrize("body", ["", "x"], ids=["nothing printed", "printed"])
def test_template_without_an_end(copy, body):
    """A template that would run for hours is ended and named."""
    loops = f"{{% for a in range(99999) %}}{{% for b in range(99999) %}}{body}{{% endfor %}}{{% endfor %}}"

    assert "it takes more than 5 seconds" in _refused(copy, loops + CHATML + OPENED).problem


@pytest.mark.parametrize("kept", ["chat_template.jinja", "tokenizer_config.json"])
def test_two_templates(copy, kept):
    """Unlike templates in two files are two readings; without the one or the other the checkpoint loads."""
    config, own = copy / "tokenizer_config.json", copy / "chat_template.jinja"
    stated = json.loads(config.read_text())
    same = own.read_text()
    config.write_text(json.dumps(stated | {"chat_template": f"{same}\n"}))
    assert load_checkpoint(str(copy), SETTINGS).chat_template
    config.write_text(json.dumps(stated | {"chat_template": same.replace("user", "human") + "{# new #}"}))
    with pytest.raises(ModelError, match=r"two chat templates: chat_template.jinja, and chat_template in"):
        load_checkpoint(str(copy), SETTINGS)

    if kept == own.name:
        config.write_text(json.dumps(stated))
    else:
        own.unlink()
    assert load_checkpoint(str(copy), SETTINGS).chat_template
