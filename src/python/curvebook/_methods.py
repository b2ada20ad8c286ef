"""The program's samplers and rules, each by itself under somebody else's loop."""

from __future__ import annotations

from collections.abc import Iterable

from ._curvebook import Optimizer, Table


def load_table(path, options: dict) -> Table:
    """Loads a table again that was pickled."""
    return Table(path, **options)


class Sampler:
    """One of curvebook's samplers, which proposes configurations: `ask()`, then `tell()`.

    `spec` is as on the command line (`tpe`, `rf-ei:trees=50`), `space` a table, the name of a
    preset, a TOML file, or a list of parameters as `Table.parameters` has them. Further keywords
    are those of `Optimizer`.
    """

    def __init__(self, spec, space, seed: int = 0, **options) -> None:
        self.optimizer = Optimizer(space, sampler=spec, seed=seed, **options)

    def ask(self):
        """A trial and its configuration; `None` where the sampler has to wait or has no more."""
        trial = self.optimizer.ask()
        return None if trial is None else (trial, self.optimizer.config(trial))

    def tell(self, trial: int, value, state: str = "completed") -> None:
        """What a trial came to: its value, or its values epoch by epoch; `None` where it has none.

        `state` says whether it `completed`, you `stopped` it early, or it `failed`.
        """
        is_curve = isinstance(value, Iterable)
        for one in value if is_curve else [value]:
            self.optimizer.tell(trial, one)
        if self.optimizer.state(trial) == "running":
            self.optimizer.conclude(trial, state)


class Stopper:
    """One of curvebook's stopping rules: `begin()` a trial, then ask `should_stop()` by epochs.

    `spec` is as on the command line (`median`, `etr1:tau=1,epsilon=0.05`). `space` as for
    `Sampler`; rules that look at configurations want `begin(config)`.
    """

    def __init__(self, spec, space, seed: int = 0, **options) -> None:
        self.optimizer = Optimizer(space, stopper=spec, seed=seed, **options)

    def begin(self, config=None) -> int:
        """Takes up a trial; its number."""
        return self.optimizer.begin(config)

    def should_stop(self, trial: int, value) -> bool:
        """Whether to stop a trial, of which an epoch has ended with this value."""
        return self.optimizer.tell(trial, value) == "stop"

    def end(self, trial: int, state: str = "completed") -> None:
        """Says that a trial has ended which the rule did not stop."""
        if self.optimizer.state(trial) == "running":
            self.optimizer.conclude(trial, state)
