"""Small files in the layouts of LCBench and PD1, and what Python finds in them.

    python make_benchmarks_golden.py

The published files are gigabytes behind figshare and Google Cloud Storage. These have made-up
numbers in exactly the layouts that their readers take:

- `lcbench.json`: as `api.Benchmark` of automl/LCBench reads it (a dictionary of data sets, of
  configurations, of `config`, `log` and `results`; lists with a number an epoch, epoch 0 before
  training, `time` running on, accuracies in percent). Expected is what `Benchmark.query` returns:
  the same look-ups, as the package is not on PyPI.
- `pd1.jsonl`: as syne_tune/blackbox_repository/conversion_scripts/scripts/pd1_import.py reads
  `pd1_matched_phase1_results.jsonl.gz` (a training a line; `eval_time` is added up there).
"""

import json
import pathlib
import random

HERE = pathlib.Path(__file__).parent
draw = random.Random(1)


def lcbench():
    data, expected = {}, {}
    for dataset in ("first", "second"):
        data[dataset] = {}
        for config in range(8):
            settings = {
                "batch_size": draw.randint(16, 512),
                "imputation_strategy": "mean",
                "learning_rate": 10 ** draw.uniform(-4, -1),
                "max_dropout": draw.random(),
                "max_units": draw.randint(64, 1024),
                "momentum": draw.uniform(0.1, 0.99),
                "num_layers": draw.randint(1, 5),
                "optimizer": "sgd",
                "weight_decay": draw.uniform(1e-5, 1e-1),
            }
            time, clock = [], 0.0
            for _ in range(7):
                clock += draw.uniform(0.5, 1.5)
                time.append(clock)
            log = {
                "time": time,
                "epoch": list(range(7)),
                "Train/loss": [draw.random() for _ in range(7)],
                "Train/val_accuracy": [draw.uniform(10, 99) for _ in range(7)],
                "Train/lr": [0.1] * 7,
            }
            results = {"OpenML_task_id": 1, "test_accuracy": draw.uniform(10, 99), "classes": 2}
            data[dataset][str(config)] = {"config": settings, "log": log, "results": results}
    (HERE / "lcbench.json").write_text(json.dumps(data))
    for config, run in data["second"].items():
        time = [0.0] + run["log"]["time"][1:]
        expected[config] = {
            "curve": run["log"]["Train/val_accuracy"][1:],
            "seconds": [b - a for a, b in zip(time, time[1:])],
            "status": "ok",
            "values": {k: v for k, v in run["config"].items()
                       if k not in ("imputation_strategy", "optimizer")},
        }
    return expected


def pd1():
    lines, expected = [], {}
    for number in range(16):
        steps = 5 if number != 5 else 3
        done = number != 9
        row = {
            "dataset": "mnist",
            "model": "simple_cnn",
            "hps.activation_fn": "relu" if number % 2 else "tanh",
            "hps.batch_size": 256,
            "hps.lr_hparams.decay_steps_factor": draw.uniform(0.01, 0.99),
            "hps.lr_hparams.initial_value": 10 ** draw.uniform(-5, 1),
            "hps.lr_hparams.power": draw.uniform(0.1, 2.0),
            "hps.opt_hparams.momentum": 10 ** draw.uniform(-3, 0),
            "status": "done" if done else "diverged",
            "epoch": [i + 1.0 for i in range(steps)] if done else None,
            "eval_time": [draw.uniform(1, 2) for _ in range(steps)] if done else None,
            "global_step": [200 * (i + 1) for i in range(steps)] if done else None,
            "valid/ce_loss": [draw.random() for _ in range(steps)] if done else None,
            "valid/error_rate": [draw.random() for _ in range(steps)] if done else None,
        }
        lines.append(json.dumps(row))
        if row["hps.activation_fn"] == "relu" and done:
            expected[str(number + 1)] = {
                "curve": row["valid/error_rate"],
                "seconds": row["eval_time"],
                "status": "ok" if steps == 5 else "truncated",
                "values": {k.removeprefix("hps."): v for k, v in row.items() if k.count(".") == 2},
            }
    (HERE / "pd1.jsonl").write_text("\n".join(lines) + "\n")
    return expected


if __name__ == "__main__":
    golden = {"lcbench.json": lcbench(), "pd1.jsonl": pd1()}
    (HERE / "expected_benchmarks.json").write_text(json.dumps(golden, indent=1) + "\n")
