"""Whether Syne Tune and Optuna read what `curvebook table export` writes, and replay it.

    pip install syne-tune==0.16.0 fastparquet==2026.9.0 huggingface_hub pandas==2.3.3 pyarrow optuna==4.5.0
    python check_export.py PROGRAM [TABLE]

Exports a table (default: tables/digits-lenet) as a blackbox folder and as a journal. Syne Tune loads
the folder: every number must be the table's, and a simulated experiment with ASHA must report, for
every trial and epoch, the table's value, at a time that is the table's seconds added up. Optuna
loads the journal: every trial's parameters, values and state must be the table's.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

ROOT = pathlib.Path(__file__).resolve().parents[3]


def export(program, table, form, out):
    subprocess.run([program, "table", "export", table, form, "--out", out], check=True)


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def blackbox(program, table, manifest, configs, curves, directory):
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
    from syne_tune.blackbox_repository import UserBlackboxBackend
    from syne_tune.blackbox_repository.blackbox_tabular import deserialize
    from syne_tune.optimizer.baselines import ASHA
    from syne_tune.tuner_callback import TunerCallback

    class Reports(TunerCallback):
        """What every trial reported."""

        def __init__(self):
            self.of = {}

        def on_trial_result(self, trial, status, result, decision):
            self.of.setdefault(trial.trial_id, (trial.config, []))[1].append(dict(result))

    os.environ["SYNETUNE_FOLDER"] = str(directory / "experiments")
    export(program, table, "syne-tune", directory / "blackbox")
    found = deserialize(directory / "blackbox")[manifest["name"]]
    metric, epochs = manifest["metric"]["name"], manifest["epochs"]
    names = [p["name"] for p in manifest["space"]["parameters"]]
    seconds = {}
    count = 0
    for id, config in enumerate(configs[names].to_dict("records")):
        rows = curves[(curves.config_id == id) & (curves["repeat"] == 0)].sort_values("epoch")
        elapsed = float(configs.setup_seconds.iloc[id]) if "setup_seconds" in configs else 0.0
        clock = []
        for second in rows.seconds:
            elapsed += second
            clock.append(elapsed)
        values = found.objective_function(config, seed=0)
        for at, value in enumerate(rows[metric]):
            assert same(values[at, 0], value) and same(values[at, 1], clock[at]), (id, at)
            assert found.objective_function(config, {"epoch": at + 1}, seed=0)[metric] == values[at, 0]
            count += 1
        seconds[tuple(config.values())] = (list(rows[metric]), clock)
    print(f"syne-tune: {len(configs)} configurations, {count} epochs are the table's")

    backend = UserBlackboxBackend(
        blackbox=found, elapsed_time_attr="elapsed_time", seed=0, support_checkpointing=False,
    )
    backend.set_path(str(directory / "backend"))
    scheduler = ASHA(
        found.configuration_space,
        metric=metric,
        time_attr="epoch",
        max_t=epochs,
        do_minimize=manifest["metric"]["goal"] == "minimize",
        random_seed=1,
        points_to_evaluate=configs[names].to_dict("records")[:60],
    )
    reports = Reports()
    tuner = Tuner(
        trial_backend=backend,
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_num_trials_started=60),
        n_workers=4,
        sleep_time=0,
        callbacks=[SimulatorCallback(), reports],
        tuner_name="check",
        save_tuner=False,
    )
    tuner.run()
    reported = 0
    stopped = 0
    for trial, (config, results) in reports.of.items():
        values, clock = seconds[tuple(config[name] for name in names)]
        clock = list(clock)
        for at in range(len(clock)):
            # Syne Tune lets no report come less than a hundredth of a second after the last.
            clock[at] = max(clock[at], clock[at - 1] + 0.01 if at else 0.01)
        for result in results:
            at = result["epoch"] - 1
            assert result[metric] == values[at], (trial, at)
            assert abs(result["elapsed_time"] - clock[at]) < 1e-9, (trial, at)
            reported += 1
        stopped += len(results) < epochs
    assert reported > 60 and stopped > 0, (reported, stopped)
    print(f"syne-tune: ASHA replayed {len(reports.of)} trials, stopped {stopped};"
          f" {reported} reports are the table's")


def journal(program, table, manifest, configs, curves, directory):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = directory / "journal.log"
    export(program, table, "optuna", path)
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name=manifest["name"], storage=storage)
    assert study.direction.name.lower() == manifest["metric"]["goal"]
    metric = manifest["metric"]["name"]
    names = [p["name"] for p in manifest["space"]["parameters"]]
    states = {"ok": "COMPLETE", "truncated": "PRUNED", "failed": "FAIL", "diverged": "FAIL"}
    steps = 0
    assert len(study.trials) == len(configs)
    for trial, row in zip(study.trials, configs.to_dict("records")):
        params = {name: row[name] for name in names if not pd.isna(row[name])}
        assert trial.params == params, trial.number
        assert trial.state.name == states[row["status"]], trial.number
        of = curves[(curves.config_id == row["config_id"]) & (curves["repeat"] == 0)]
        expected = {e: v for e, v in zip(of.epoch, of[metric]) if v is not None}
        assert trial.intermediate_values.keys() == expected.keys()
        assert all(same(trial.intermediate_values[e], v) for e, v in expected.items())
        took = of.seconds.sum() + row.get("setup_seconds", 0.0)
        assert abs(trial.duration.total_seconds() - took) < 1e-4, trial.number
        steps += len(expected)
    print(f"optuna: {len(configs)} trials, {steps} steps are the table's; best {study.best_value}")
    study.sampler = optuna.samplers.RandomSampler(seed=1)
    study.optimize(lambda trial: 0.0, n_trials=1)
    print("optuna: the study goes on")


if __name__ == "__main__":
    program = pathlib.Path(sys.argv[1]).resolve()
    table = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else ROOT / "tables/digits-lenet"
    manifest = json.loads((table / "table.json").read_text())
    configs = pd.read_parquet(table / "configs.parquet").sort_values("config_id")
    curves = pd.read_parquet(table / "curves.parquet")
    with tempfile.TemporaryDirectory() as name:
        for check in (blackbox, journal):
            check(program, table, manifest, configs, curves, pathlib.Path(name))
