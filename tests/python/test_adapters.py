"""Optuna and Syne Tune on our clock, and our methods within Optuna."""

import numpy
import optuna
import pyarrow
import pytest
from optuna.trial import TrialState

import curvebook
import curvebook.optuna
import curvebook.syne_tune
from conftest import DIGITS

optuna.logging.set_verbosity(optuna.logging.ERROR)
SPACE = [
    {"name": "x", "type": "float", "low": -5.0, "high": 5.0},
    {"name": "kind", "type": "categorical", "choices": ["near", "far"]},
    {
        "name": "shift",
        "type": "int",
        "low": 0,
        "high": 3,
        "condition": {"name": "kind", "in": ["far"]},
    },
]


def objective(trial: optuna.Trial) -> float:
    values = curvebook.optuna.suggest(trial, SPACE)
    for epoch in range(1, 6):
        trial.report((values["x"] - 1) ** 2 + values.get("shift", 0) + 1 / epoch, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return (values["x"] - 1) ** 2 + values.get("shift", 0)


def test_a_study_of_optuna_runs_on_the_clock(digits):
    runs = []
    for _ in range(2):
        simulator = curvebook.Simulator(digits, workers=3, budget_seconds=8)
        study = curvebook.optuna.create_study(
            digits,
            sampler=optuna.samplers.TPESampler(seed=0),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2),
        )
        curvebook.optuna.optimize(study, simulator)
        assert simulator.end_reason == "budget" and simulator.now == 8
        segments = pyarrow.table(simulator.trace()).to_pylist()
        assert len(segments) == len(study.trials)
        states = {"completed": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
        for segment, trial in zip(segments, study.trials):
            assert trial.user_attrs["row"] == segment["config_id"]
            assert trial.state == states.get(segment["end_state"], TrialState.FAIL)
            curve = digits.curve(segment["config_id"])[0][: segment["epochs"]]
            reported = trial.intermediate_values
            if segment["end_state"] != "cut":
                assert [reported[step] for step in sorted(reported)] == curve
            if trial.state == TrialState.COMPLETE:
                assert trial.value == segment["value"]
        assert any(trial.state == TrialState.PRUNED for trial in study.trials)
        runs.append(segments)
    assert runs[0] == runs[1]


def test_as_many_trials_as_asked_for(digits):
    study = curvebook.optuna.create_study(digits, sampler=optuna.samplers.RandomSampler(0))
    simulator = curvebook.Simulator(digits, workers=2)
    curvebook.optuna.optimize(study, simulator, n_trials=5)
    assert len(study.trials) == 5
    assert all(trial.state == TrialState.COMPLETE for trial in study.trials)


@pytest.mark.parametrize("spec", ["random", "tpe", "rf-ei:trees=20"])
def test_our_sampler_within_optuna(spec):
    sampler = curvebook.optuna.CurvebookSampler(spec, SPACE, 4, "minimize", candidates=600)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    study.optimize(lambda trial: objective_of(trial), n_trials=40)
    assert all(trial.state == TrialState.COMPLETE for trial in study.trials)
    if spec != "random":
        late = [trial.value for trial in study.trials[25:]]
        early = [trial.value for trial in study.trials[:10]]
        assert numpy.median(late) < numpy.median(early)


def objective_of(trial: optuna.Trial) -> float:
    values = curvebook.optuna.suggest(trial, SPACE)
    return (values["x"] - 1) ** 2 + values.get("shift", 0)


def test_our_sampler_refuses_another_space():
    sampler = curvebook.optuna.CurvebookSampler("random", SPACE, direction="minimize")
    study = optuna.create_study(direction="minimize", sampler=sampler)
    with pytest.raises(ValueError, match="plays no part here"):
        study.optimize(lambda trial: trial.suggest_float("y", 0, 1), n_trials=1)
    with pytest.raises(ValueError, match="does not have"):
        study.optimize(lambda trial: trial.suggest_float("x", 7, 9), n_trials=1)
    wrong = optuna.create_study(direction="maximize", sampler=sampler)
    with pytest.raises(ValueError, match="the study is to maximize"):
        wrong.optimize(objective_of, n_trials=1)


def test_our_rule_prunes_within_optuna():
    pruner = curvebook.optuna.CurvebookPruner("median", SPACE, direction="minimize", epochs=6)
    study = optuna.create_study(
        direction="minimize", sampler=optuna.samplers.RandomSampler(3), pruner=pruner
    )
    study.optimize(objective, n_trials=40)
    pruned = [trial for trial in study.trials if trial.state == TrialState.PRUNED]
    completed = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    assert 5 < len(pruned) < 35
    # The rule of the same name, asked by itself with the same curves, stops the same trials.
    rule = curvebook.Stopper("median", SPACE, direction="minimize", epochs=6)
    for trial in study.trials:
        number, stopped = rule.begin(), False
        for step in sorted(trial.intermediate_values):
            stopped = stopped or rule.should_stop(number, trial.intermediate_values[step])
        rule.end(number)
        assert stopped == (trial.state == TrialState.PRUNED), trial.number
    assert min(t.value for t in completed) < min(t.intermediate_values[1] for t in pruned)


def test_a_table_is_a_blackbox_of_syne_tune(digits):
    box = curvebook.syne_tune.blackbox(digits)
    for row in (0, 17, 200):
        config = digits.config(row)
        values, seconds = digits.curve(row)
        told = box(config, fidelity={"epoch": 7}, seed=0)
        assert told["val_accuracy"] == values[6]
        assert told["elapsed_time"] == pytest.approx(sum(seconds[:7]))
        whole = box(config, seed=0)
        assert whole.shape == (30, 2) and whole[:, 0].tolist() == values
        near = config | {"learning_rate": config["learning_rate"] * 1.0001}
        assert digits.row(near) is None and digits.nearest(near)[0] == row
        assert box(near, fidelity={"epoch": 7}, seed=0) == told


def test_syne_tune_runs_on_the_blackbox(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNETUNE_FOLDER", str(tmp_path))
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
    from syne_tune.blackbox_repository.simulated_tabular_backend import UserBlackboxBackend
    from syne_tune.optimizer.baselines import ASHA

    table = curvebook.Table(DIGITS, rows="0..300")
    box = curvebook.syne_tune.blackbox(table)
    backend = UserBlackboxBackend(
        blackbox=box, elapsed_time_attr=curvebook.syne_tune.ELAPSED, seed=0
    )
    scheduler = ASHA(
        config_space=box.configuration_space,
        metric="val_accuracy",
        time_attr="epoch",
        max_t=table.epochs,
        do_minimize=False,
        random_seed=1,
    )
    callback = SimulatorCallback()
    tuner = Tuner(
        trial_backend=backend,
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_num_trials_started=20),
        n_workers=2,
        sleep_time=0,
        callbacks=[callback],
        print_update_interval=1e9,
    )
    tuner.run()
    # What Syne Tune saw is what the table holds at the nearest row.
    told = callback.dataframe()
    assert told.trial_id.nunique() >= 20
    names = [parameter["name"] for parameter in table.parameters]
    for result in told.itertuples():
        row, _ = table.nearest({name: getattr(result, f"config_{name}") for name in names})
        assert result.val_accuracy == table.value(row, int(result.epoch))
