"""A checkpoint under measurement: asks each prompt once, and remembers what was answered."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lengthprobe.errors import LengthprobeError
from lengthprobe.models.catalog import resolve
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, Response, prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lengthprobe.models.files import Files
    from lengthprobe.models.loading import Checkpoint
    from lengthprobe.models.placement import Placement
    from lengthprobe.runs.identity import Identity


Made = TypeVar("Made")


class Exchange(Protocol):
    """How processes that ask the same model share the work."""

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key.

        Args:
            keys: What is wanted.
            make: Makes the bytes of one key; called for the keys that this process takes upon itself.
        """
        ...


class _Alone:
    """The exchange of a process that shares with nobody."""

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        return {key: make(key) for key in keys}


class Probe:
    """One checkpoint under measurement.

    The name is understood at once; the checkpoint is loaded when the first response is wanted.

    Args:
        name: Alias, hub id, directory, or fixture model.
        settings: What is asked.
        family: Among how many comparisons the chance of a false `broken` is shared.
        exchange: How processes share the work, None for one process.
        progress: Told how many prompts are answered, and how many there are.

    Raises:
        ModelError: Nothing is known by this name.
    """

    def __init__(
        self,
        name: str,
        settings: Settings | None = None,
        *,
        family: int = 1,
        exchange: Exchange | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.name = name
        self.settings = settings or Settings()
        self.family = family
        self.source = resolve(name)
        self._exchange: Exchange = exchange or _Alone()
        self._progress = progress or (lambda _done, _total: None)
        self._files: Files | None = None
        self._placement: Placement | None = None
        self._checkpoint: Checkpoint | None = None
        self._identity: Identity | None = None
        self._proven = False
        self._failure: LengthprobeError | None = None
        self._responses: dict[str, tuple[Response, ...]] = {}
        self._split_batches = 0

    def __repr__(self) -> str:
        return f"Probe({self.name!r})"

    def responses(self, language: str) -> tuple[Response, ...]:
        """The response to each prompt of a language, in the order of the prompt stream.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or the language is unknown.
        """
        if language not in self._responses:
            self.prepare([language])
        return self._responses[language]

    def prepare(self, languages: Sequence[str] | None = None) -> None:
        """Ask the prompts of several languages in one go (all of the settings' by default).

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or a language is unknown.
        """
        wanted = self.settings.languages if languages is None else languages
        missing = [language for language in dict.fromkeys(wanted) if language not in self._responses]
        asked = {
            language: prompts(
                language,
                lengths=self.settings.lengths,
                budget=self.settings.budget,
                seed=self.settings.seed,
            )
            for language in missing
        }
        if asked:
            answers = self._ask([prompt for some in asked.values() for prompt in some])
            self._responses |= {
                language: tuple(answers[prompt.id] for prompt in some) for language, some in asked.items()
            }

    @property
    def asked(self) -> tuple[str, ...]:
        """The languages whose prompts have been answered."""
        return tuple(self._responses)

    @property
    def files(self) -> Files:
        """The checkpoint on disk, located and checked at the first use.

        Raises:
            ModelError: It cannot be found, or is nothing that lengthprobe can run.
        """
        if self._files is None:
            from lengthprobe.models.files import locate

            self._files = self._once(lambda: locate(self.name, self.settings))
        return self._files

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint in memory, loaded at the first use.

        Raises:
            ModelError: It cannot be loaded.
        """
        if self._checkpoint is None:
            from lengthprobe.models.loading import load_checkpoint

            self._checkpoint = self._once(lambda: load_checkpoint(self.files, self.settings))
        return self._checkpoint

    @property
    def batch_size(self) -> int:
        """Most prompts at once, chosen without loading the weights.

        Raises:
            ModelError: The checkpoint cannot be found, or the device not be had.
        """
        from lengthprobe.models.placement import choose_batch_size, place

        if self._placement is None:
            self._placement = self._once(lambda: place(self.files, self.settings))
        return choose_batch_size(self.files, self.settings, self._placement)

    @property
    def split_batches(self) -> int:
        """How many batches were split for want of memory."""
        return self._split_batches

    def identity(self) -> Identity:
        """All that determines the responses: digests, versions, settings as they were used.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded, or not be asked in this form.
        """
        if self._identity is None:
            from lengthprobe.runs.identity import identify

            self._identity = self._once(
                lambda: identify(self.checkpoint, self.settings, batch_size=self.batch_size)
            )
        return replace(self._identity, split_batches=self._split_batches)

    def _ask(self, wanted: Sequence[Prompt]) -> dict[str, Response]:
        """The responses by prompt id; batches that another process has made come from there."""
        from lengthprobe.models.generation import batches

        self._progress(0, len(wanted))
        keyed = {self._key(batch): batch for batch in batches(wanted, self.batch_size)}
        done = 0

        def make(key: str) -> bytes:
            nonlocal done
            content = self._once(lambda: self._make(keyed[key]))
            done += len(keyed[key])
            self._progress(done, len(wanted))
            return content

        made = self._exchange.gather(list(keyed), make)
        self._progress(len(wanted), len(wanted))
        return {
            response.prompt.id: response
            for key, batch in keyed.items()
            for response in self._read(made[key], batch)
        }

    def _make(self, batch: Sequence[Prompt]) -> bytes:
        from lengthprobe.models.generation import check_logits, respond_to_batch

        if not self._proven:
            check_logits(self.checkpoint, batch[0], self.settings)
            self._proven = True
        answered = respond_to_batch(self.checkpoint, batch, self.settings)
        rows = [[list(each.token_ids), each.text, each.finish_reason] for each in answered.responses]
        return json.dumps({"pieces": answered.pieces, "responses": rows}).encode()

    def _read(self, made: bytes, batch: Sequence[Prompt]) -> list[Response]:
        content = json.loads(made)
        self._split_batches += content["pieces"] > 1
        return [
            Response(prompt, tuple(tokens), written, reason)
            for prompt, (tokens, written, reason) in zip(batch, content["responses"], strict=True)
        ]

    def _key(self, batch: Sequence[Prompt]) -> str:
        """A digest of all that determines a batch's responses within one session.

        Alpha, budget and counter are left out: they change no response, only which are asked for and how they
        are read.
        """
        settings = asdict(self.settings)
        decisive = (
            *("cap", "prompt_form", "system_prompt", "device_map", "dtype"),
            *("allow_pickle", "allow_remote_code"),
        )
        content = {
            "source": [self.name, self.source.repo_id, self.source.revision, str(self.source.path)],
            "settings": {name: settings[name] for name in decisive},
            "batch_size": self.batch_size,
            "prompts": [[prompt.id, prompt.text] for prompt in batch],
        }
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _once(self, make: Callable[[], Made]) -> Made:
        """What `make` gives; a checkpoint that failed once is not tried again for every claim."""
        if self._failure is not None:
            raise self._failure
        try:
            return make()
        except LengthprobeError as error:
            self._failure = error
            raise


def load(name_or_path: str, **settings: Any) -> Probe:
    """A probe of the checkpoint with this name.

    Args:
        name_or_path: Alias, hub id, directory, or fixture model.
        settings: Fields of `lengthprobe.settings.Settings`, such as `device_map`, `dtype`, `budget`.

    Raises:
        ModelError: Nothing is known by this name.
        SettingsError: A setting has a value that cannot be used.
    """
    return Probe(name_or_path, Settings(**settings))
