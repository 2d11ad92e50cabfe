"""Checkpoints with random weights, small enough to be made anew for every session of tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.probe import Probe

# Tests ask the network for nothing; set before huggingface_hub reads it.
os.environ["HF_HUB_OFFLINE"] = "1"
# The models are small and the processes many: threads would only wait for each other. Before torch reads it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent.parent
SPECIAL = ["<|begin|>", "<|end|>", "<|turn|>", "<|role|>", "<|pad|>"]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "<|role|>{{ message['role'] }}\n{{ message['content'] }}<|turn|>"
    "{% endfor %}{% if add_generation_prompt %}<|role|>assistant\n{% endif %}"
)
SHAPES = ("llama", "qwen3", "gemma2", "gemma3", "gpt2")
# Mixtures of experts, and those that see as well, with the name of their class.
EXPERTS = ("mixtral", "qwen3_moe", "gpt_oss")
SEEING = {"gemma3-sees": "Gemma3", "mistral3-sees": "Mistral3", "qwen3_5-sees": "Qwen3_5"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that the tests of a real checkpoint did not run, and why."""
    skipped = [one for one in terminalreporter.getreports("skipped") if "tests/real/" in one.nodeid]
    if skipped:
        *_, reason = skipped[0].longrepr
        terminalreporter.write_line(
            f"NOT RUN: {len(skipped)} tests of a real checkpoint. {reason.removeprefix('Skipped: ')}",
            red=True,
            bold=True,
        )


@pytest.fixture(scope="session", autouse=True)
def _outside_of_a_job() -> Iterator[None]:
    """Let no pytest that a test runs write to the page of the job in which the tests run."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
            environment.delenv(variable, raising=False)
        yield


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of lengthprobe, built anew."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    line = [sys.executable, "-c", build]
    built = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    return folder / built.stdout.split()[-1]


@pytest.fixture(scope="session")
def unpacked(wheel: Path) -> Path:
    """The wheel's contents in a folder, as an installer lays them out."""
    site = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    return site


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that saves a random checkpoint of a shape and returns its directory, once a shape."""
    made: dict[str, Path] = {}

    def checkpoint(shape: str = "llama") -> Path:
        if shape not in made:
            made[shape] = tmp_path_factory.mktemp(shape)
            tokenizer = _tokenizer()
            tokenizer.save_pretrained(made[shape])
            _model(shape, len(tokenizer)).save_pretrained(made[shape])
        return made[shape]

    return checkpoint


@pytest.fixture
def copy_of(checkpoints: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies a random checkpoint, so that a test can damage it."""

    def copy(shape: str = "llama", name: str = "checkpoint") -> Path:
        return Path(shutil.copytree(checkpoints(shape), tmp_path / name))

    return copy


@pytest.fixture(scope="session")
def llama(checkpoints: Callable[..., Path]) -> Checkpoint:
    """The random Llama."""
    return _loaded(checkpoints("llama"))


@pytest.fixture
def own(checkpoints: Callable[..., Path]) -> Checkpoint:
    """A random Llama that a test may damage."""
    return _loaded(checkpoints("llama"))


@pytest.fixture
def forward_hook(own: Checkpoint) -> Iterator[Callable[[Callable[..., object]], None]]:
    """Return a function that hooks the forward pass of `own`."""
    handles = []

    def hook(function: Callable[..., object]) -> None:
        handles.append(own.model.register_forward_hook(function))

    yield hook
    for handle in handles:
        handle.remove()


@pytest.fixture(scope="session")
def tiny_it() -> Probe:
    """The healthy fixture model, after 20 prompts a language with attributions; tests leave it as it is."""
    from lengthprobe import load

    probe = load("tiny-it", budget=20, device_map="cpu")
    probe.prepare(traces=True)
    return probe


def _loaded(directory: Path) -> Checkpoint:
    from lengthprobe.checkpoints.loading import load_checkpoint
    from lengthprobe.settings import Settings

    return load_checkpoint(str(directory), Settings(device_map="cpu", cap=30))


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    from lengthprobe.task.prompts import prompts

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [prompt.text for language in ("en", "it") for prompt in prompts(language, budget=100)]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{SPECIAL[0]} $A", special_tokens=[(SPECIAL[0], 0)]
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=SPECIAL[0], eos_token=SPECIAL[2], pad_token=SPECIAL[4]
    )
    wrapped.chat_template = TEMPLATE
    return wrapped


def _model(shape: str, vocabulary: int) -> Any:
    import transformers

    size: dict[str, Any] = {"vocab_size": vocabulary, "bos_token_id": 0, "pad_token_id": 4}
    if shape == "gpt2":
        size |= {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 512, "eos_token_id": 2}
    else:
        size |= {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "head_dim": 8}
        size |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
    if shape.startswith("gemma"):
        # Narrower than the prompts, so that the window of the local layers matters. With the unembedding tied
        # to the embedding, random layers repeat their last token for ever.
        size |= {"sliding_window": 16, "tie_word_embeddings": False}
    if shape in EXPERTS:
        size |= {"num_experts_per_tok": 2, "moe_intermediate_size": 12}
        size |= {"num_experts" if shape == "qwen3_moe" else "num_local_experts": 3}
    if shape in SEEING:
        return _drawn(*_seeing(shape, size), len(shape))
    kinds = {
        "llama": ("LlamaConfig", "LlamaForCausalLM"),
        "qwen3": ("Qwen3Config", "Qwen3ForCausalLM"),
        "gemma2": ("Gemma2Config", "Gemma2ForCausalLM"),
        "gemma3": ("Gemma3TextConfig", "Gemma3ForCausalLM"),
        "gpt2": ("GPT2Config", "GPT2LMHeadModel"),
        "mixtral": ("MixtralConfig", "MixtralForCausalLM"),
        "qwen3_moe": ("Qwen3MoeConfig", "Qwen3MoeForCausalLM"),
        "gpt_oss": ("GptOssConfig", "GptOssForCausalLM"),
    }
    config, architecture = (getattr(transformers, name) for name in kinds[shape])
    return _drawn(config(**size), architecture, len(shape))


def _seeing(shape: str, text: dict[str, Any]) -> tuple[Any, Any]:
    """The config and the class of a model that sees as well. Its tower is as small as one can be built."""
    import transformers

    tower = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    tower |= {"depth": 1, "num_heads": 1, "out_hidden_size": 32, "num_position_embeddings": 4}
    tower |= {"image_size": 4, "patch_size": 2}
    if shape == "gemma3-sees":
        text |= {"sliding_window": 16, "tie_word_embeddings": False}
    if shape == "mistral3-sees":
        text |= {"model_type": "mistral", "tie_word_embeddings": False}
        tower |= {"model_type": "pixtral", "head_dim": 8}
    if shape == "qwen3_5-sees":
        text |= {"layer_types": ["linear_attention", "full_attention", "linear_attention"]}
        text |= {"linear_num_key_heads": 4, "linear_num_value_heads": 8}
        text |= {"linear_key_head_dim": 4, "linear_value_head_dim": 4}
        text |= {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}}
        text |= {"partial_rotary_factor": 1.0}
    name = SEEING[shape]
    tokens = {"image_token_id": 5, "image_token_index": 5} if shape == "gemma3-sees" else {}
    config = getattr(transformers, f"{name}Config")(text_config=text, vision_config=tower, **tokens)
    return config, getattr(transformers, f"{name}ForConditionalGeneration")


def _drawn(config: Any, architecture: Any, seed: int) -> Any:
    """A model with every parameter drawn from a seed."""
    import torch
    import transformers

    model = architecture(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            # Wide enough for every response to depend on its prompt; biases and norm gains are drawn too.
            width = parameter.shape[-1] ** -0.5 * 2.0 if parameter.dim() > 1 else 0.3
            centre = float(parameter.mean()) if parameter.dim() == 1 else 0.0
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * width + centre)
    # A dozen ordinary tokens end a response too, so that some responses stop and some are cut off.
    model.generation_config = transformers.GenerationConfig(
        bos_token_id=0, pad_token_id=4, eos_token_id=[1, 2, *range(60, 72)]
    )
    return model
