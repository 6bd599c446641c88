"""The progress of a run on the terminal, and requests to stop it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from numpy_lstm.settings import Settings
from numpy_lstm.training import TrainingState

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, kill, a terminal that is closed


class Display:
    """A progress bar, and one line per epoch.

    Parameters
    ----------
    bar : bool, optional
        Whether to show the bar; by default, only on a terminal.

    Attributes
    ----------
    stop_requested : bool
        Set by a signal during training: the run stops after the current step.
    """

    def __init__(self, bar: bool | None = None) -> None:
        self.stop_requested = False
        self._is_off = None if bar is None else not bar  # None: tqdm looks for a terminal
        self._is_training = False
        self._model = ""
        self._accuracy = 0.5

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Turn a first signal during training into :attr:`stop_requested`.

        A second one, and one outside training, raises ``KeyboardInterrupt``. A signal that the
        process ignores, as under ``nohup``, stays ignored. In another thread than the main one
        Python lets nobody listen.
        """

        def request(number: int, frame: FrameType | None) -> None:
            if self.stop_requested or not self._is_training:
                raise KeyboardInterrupt
            self.stop_requested = True

        before = {}
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
            before = {number: signal.getsignal(number) for number in numbers}
        before = {
            number: handler
            for number, handler in before.items()
            if handler not in (signal.SIG_IGN, None)
        }
        for number in before:
            signal.signal(number, request)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def training(self, model: str, state: TrainingState, settings: Settings) -> Iterator[None]:
        """Show the training of one model, on a terminal as a bar over all its steps."""
        from tqdm import tqdm

        self._model, self._settings = model, settings
        self._bar = tqdm(
            bar_format="{desc} |{bar}| {remaining} left{postfix}",  # fits 60 columns
            desc=self._title(state.epoch + 1),
            disable=self._is_off,
            dynamic_ncols=True,
        )
        self._is_training = True
        try:
            with self._bar:
                yield
        finally:
            self._is_training = False

    def step(self, state: TrainingState, steps: int, loss: float, accuracy: float) -> None:
        """Show a finished step, one of `steps` in the epoch."""
        if self._bar.disable:
            return
        if self._bar.total is None:
            self._bar.reset(total=steps * self._settings.epochs)
            self._bar.update(steps * state.epoch + state.step - 1)
        # A running mean over about 50 batches, since one batch is noisy.
        self._accuracy += (accuracy - self._accuracy) / 50
        self._bar.set_description_str(self._title(state.epoch + 1), refresh=False)
        self._bar.update()
        if state.step % 10 == 0:
            self._bar.set_postfix_str(
                f"loss {state.loss_sum / state.reviews:.3f}, accuracy {100 * self._accuracy:.0f} %"
            )

    def epoch(self, state: TrainingState) -> None:
        """Print the scores of a finished epoch."""
        line = state.history[-1]
        text = (
            f"{self._title(line.epoch)}: loss {line.train_loss:.4f}, validation loss"
            f" {line.val_loss:.4f}, accuracy {100 * line.val_accuracy:.2f} %, {line.seconds:.0f} s"
        )
        self._bar.write(text, file=sys.stdout)
        sys.stdout.flush()

    def _title(self, epoch: int) -> str:
        return f"{self._model.upper():4} epoch {epoch}/{self._settings.epochs}"
