"""A blackbox folder as Syne Tune writes it, and what its own reader finds there.

    pip install syne-tune==0.16.0 fastparquet==2026.9.0 huggingface_hub pandas==2.3.3
    python make_blackbox_golden.py

`syne_tune/`: two tasks, twelve configurations with one hyperparameter of each kind, two seeds, five
fidelities; in 32 bits, as Syne Tune saves; one curve is padded with NaN, one has NaN within.
"""

import json
import pathlib
import shutil

import numpy as np
import pandas as pd
import syne_tune.config_space as sp
from syne_tune.blackbox_repository.blackbox_tabular import BlackboxTabular, deserialize, serialize

HERE = pathlib.Path(__file__).parent
SEEDS, EPOCHS = 2, 5


def write(path):
    rng = np.random.default_rng(1)
    count = 12
    hyperparameters = pd.DataFrame({
        "lr": rng.uniform(np.log(1e-4), np.log(1e-1), count).round(3),
        "units": rng.permutation(np.arange(16, 16 + count)),
        "act": np.array(["relu", "elu", "tanh"])[np.arange(count) % 3],
        "batch": np.array([16, 32, 64])[rng.integers(0, 3, count)],
    })
    hyperparameters["lr"] = np.exp(hyperparameters["lr"])
    space = {
        "lr": sp.loguniform(1e-4, 1e-1),
        "units": sp.lograndint(8, 64),
        "act": sp.choice(["relu", "elu", "tanh"]),
        "batch": sp.ordinal([16, 32, 64]),
    }
    tasks = {}
    for task in ("first", "second"):
        error = rng.uniform(0.1, 0.9, (count, SEEDS, EPOCHS))
        runtime = rng.uniform(1.0, 2.0, (count, SEEDS, EPOCHS))
        error[3, 1, 3:] = np.nan
        error[5, 0, 2] = np.nan
        elapsed = np.cumsum(runtime, axis=-1)
        tasks[task] = BlackboxTabular(
            hyperparameters=hyperparameters,
            configuration_space=space,
            fidelity_space={"hp_epoch": sp.randint(1, EPOCHS)},
            objectives_evaluations=np.stack([error, runtime, elapsed], axis=-1),
            fidelity_values=np.arange(1, EPOCHS + 1),
            objectives_names=["metric_error", "metric_runtime", "metric_elapsed_time"],
        )
    shutil.rmtree(path, ignore_errors=True)
    serialize(tasks, path, metadata={
        "metric_elapsed_time": "metric_elapsed_time",
        "default_metric": "metric_error",
        "resource_attr": "hp_epoch",
    })


def read(path, task):
    """Of seed 0, as the other goldens have it."""
    blackbox = deserialize(path)[task]
    expected = {}
    for config in range(len(blackbox.hyperparameters)):
        values = blackbox.objective_function(config, seed=0)
        elapsed = [float(v) for v in values[:, 2]]
        settings = {k: v.item() if hasattr(v, "item") else v
                    for k, v in blackbox.hyperparameters.iloc[config].to_dict().items()}
        # Conditions in the program: one of both curves breaks off, so the configuration does.
        other = blackbox.objective_function(config, seed=1)[:, 0]
        expected[str(config)] = {
            "curve": [None if np.isnan(v) else float(v) for v in values[:, 0]],
            "seconds": [b - a for a, b in zip([0.0] + elapsed, elapsed)],
            "status": "ok",
            "values": settings,
        }
        assert config != 3 or np.isnan(other[-1])
    return expected


if __name__ == "__main__":
    write(HERE / "syne_tune")
    golden = {"syne_tune": read(HERE / "syne_tune", "second")}
    (HERE / "expected_blackbox.json").write_text(json.dumps(golden, indent=1) + "\n")
