"""Optuna on the simulated clock, and curvebook's methods within Optuna.

`optimize(study, simulator)` runs a study of Optuna's on recorded curves: its sampler proposes, its
pruner stops, and what that costs is what the simulator says. `CurvebookSampler` and
`CurvebookPruner` go the other way. Needs `pip install optuna`.
"""

from __future__ import annotations

import math

import optuna
from optuna.trial import TrialState

from ._curvebook import Optimizer, Simulator, Table
from ._methods import Stopper
from ._spaces import is_active

__all__ = ["CurvebookPruner", "CurvebookSampler", "create_study", "optimize", "suggest"]


def create_study(table: Table, **options) -> optuna.Study:
    """A study whose direction is that of the table's metric; options are Optuna's."""
    return optuna.create_study(direction=table.metric["goal"], **options)


def suggest(trial: optuna.Trial, parameters: list[dict]) -> dict:
    """Asks a trial of Optuna's for a configuration of a space, condition by condition."""
    values: dict = {}
    for parameter in parameters:
        if not is_active(parameter.get("condition"), values):
            continue
        name, log = parameter["name"], parameter.get("log", False)
        choices = parameter.get("choices") or parameter.get("values")
        if choices is not None:
            values[name] = trial.suggest_categorical(name, choices)
        elif parameter["type"] == "int":
            values[name] = trial.suggest_int(name, parameter["low"], parameter["high"], log=log)
        else:
            values[name] = trial.suggest_float(name, parameter["low"], parameter["high"], log=log)
    return values


def optimize(study: optuna.Study, simulator: Simulator, n_trials: int | None = None) -> None:
    """Runs a study on a simulator until the run is over, or so many trials have started.

    Each worker that asks gets a trial of the study's; its configuration becomes the nearest free
    row, whose number stands in the trial's user attribute `row`. After each epoch its value is
    reported, at the epoch as step, and the study's pruner is asked. A pruned trial tells Optuna
    its last value, as Optuna's own do; one without a value fails. What is `running` when the run
    ends is told to have failed.
    """
    parameters = simulator.table.parameters
    asked: dict[int, optuna.Trial] = {}
    limit = math.inf if n_trials is None else n_trials
    started = 0
    while True:
        while started < limit and simulator.ready:
            trial = study.ask()
            number = simulator.start(suggest(trial, parameters), nearest=True)
            trial.set_user_attr("row", simulator.row(number))
            asked[number] = trial
            started += 1
        event = simulator.advance()
        if event is None:
            break
        number, epoch, value, _ = event
        trial, state = asked[number], simulator.state(number)
        if value is not None:
            trial.report(value, epoch)
        if state == "running":
            if trial.should_prune():
                simulator.stop(number)
                study.tell(asked.pop(number), state=TrialState.PRUNED)
            continue
        told = simulator.reported(number) if state == "completed" else None
        if told is None:
            study.tell(asked.pop(number), state=TrialState.FAIL)
        else:
            study.tell(asked.pop(number), told)
    simulator.finish()
    for trial in asked.values():
        study.tell(trial, state=TrialState.FAIL)


class CurvebookSampler(optuna.samplers.BaseSampler):
    """One of curvebook's samplers as a sampler of Optuna's.

    `spec` and `space` as for `curvebook.Sampler`; the objective may ask for hyperparameters of
    the space alone. Optuna's direction must be that of the sampler. Trials of another process are
    not told.
    """

    def __init__(self, spec: str, space, seed: int = 0, direction: str = "maximize", **options):
        if isinstance(space, Table):
            direction = space.metric["goal"]
            options.setdefault("epochs", None)
        self._direction = direction
        self._optimizer = Optimizer(
            space, sampler=spec, seed=seed, direction=direction, **options
        )
        self._trials: dict[int, int] = {}
        self._configs: dict[int, dict] = {}

    def before_trial(self, study, trial) -> None:
        """Asks for the trial's configuration."""
        if study.direction.name.lower() != self._direction:
            raise ValueError(
                f"the study is to {study.direction.name.lower()}, and the sampler to "
                f"{self._direction}: give it `direction`"
            )
        number = self._optimizer.ask()
        if number is None:
            raise RuntimeError("the sampler has no further configuration: end the study here")
        self._trials[trial.number] = number
        self._configs[trial.number] = self._optimizer.config(number)

    def infer_relative_search_space(self, study, trial) -> dict:
        """Nothing: whole configurations are proposed before a trial begins."""
        return {}

    def sample_relative(self, study, trial, search_space) -> dict:
        """Nothing; see `infer_relative_search_space`."""
        return {}

    def sample_independent(self, study, trial, param_name, param_distribution):
        """The value of a hyperparameter in the configuration that was proposed."""
        config = self._configs[trial.number]
        if param_name not in config:
            known = ", ".join(config)
            raise ValueError(f"`{param_name}` plays no part here; the space proposes {known}")
        value = config[param_name]
        if not param_distribution._contains(param_distribution.to_internal_repr(value)):
            raise ValueError(
                f"{param_name} = {value} was proposed, which {param_distribution} does not have: "
                "give the sampler the space of the objective"
            )
        return value

    def after_trial(self, study, trial, state, values) -> None:
        """Tells what came of the trial."""
        number = self._trials.pop(trial.number)
        self._configs.pop(trial.number)
        curve = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
        if values is not None:
            curve = curve[:-1] + [values[0]] if curve else [values[0]]
        ended = {TrialState.COMPLETE: "completed", TrialState.PRUNED: "stopped"}
        for value in curve:
            if self._optimizer.state(number) == "running":
                self._optimizer.tell(number, value)
        if self._optimizer.state(number) == "running":
            self._optimizer.conclude(number, ended.get(state, "failed"))


class CurvebookPruner(optuna.pruners.BasePruner):
    """One of curvebook's stopping rules as a pruner of Optuna's.

    `space` as for `curvebook.Stopper`; the rule sees each trial's reported values as its epochs,
    in the order of their steps, `epochs` of them at most. Rules that look at configurations see
    none of Optuna's.
    """

    def __init__(self, spec: str, space, seed: int = 0, direction: str = "maximize", **options):
        if isinstance(space, Table):
            options.setdefault("epochs", None)
        self._stopper = Stopper(spec, space, seed, direction=direction, **options)
        self._trials: dict[int, int] = {}
        self._ended: set[int] = set()

    def prune(self, study, trial) -> bool:
        """Whether the rule stops a trial; it hears of the others first."""
        for other in study.get_trials(deepcopy=False):
            if other.number != trial.number and other.number not in self._ended:
                self._hear(other)
        return self._hear(trial)

    def _hear(self, trial) -> bool:
        """Tells the rule what is new of a trial; whether it stops it."""
        is_over = trial.state.is_finished()
        if trial.number not in self._trials:
            if not trial.intermediate_values:
                return False
            self._trials[trial.number] = self._stopper.begin()
        number, optimizer = self._trials[trial.number], self._stopper.optimizer
        steps = sorted(trial.intermediate_values)[optimizer.epochs(number) :]
        answer = False
        for step in steps:
            if optimizer.state(number) != "running":
                break
            answer = self._stopper.should_stop(number, trial.intermediate_values[step])
        if is_over:
            self._ended.add(trial.number)
            ended = {TrialState.COMPLETE: "completed", TrialState.PRUNED: "stopped"}
            self._stopper.end(number, ended.get(trial.state, "failed"))
        return answer or optimizer.state(number) == "stopped"
