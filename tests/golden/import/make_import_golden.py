"""Small cuts of recorded runs of other programs, and what pandas reads in them.

    pip install pandas==2.3.3 pyarrow==26.0.1
    python make_import_golden.py DIRECTORY_OF_RECORDED_RUNS

The directory holds the files as their projects publish them (repacked to JSON lines):

- `optuna_dashboard_sample_100trials.jsonl.gz`: optuna/optuna-dashboard,
  tslib/react/public/sample_db.sqlite3, MIT. The cut: 30 trials as CSV in long form, in another
  order, with the trial's run time shared out over its steps as a clock.
- `wandb_sweeps_hyperband_116runs.jsonl.gz`: wandb/sweeps, tests/data/hyper-data.yaml, MIT. The
  cut: 8 runs as they stand.
- `amltk_smac_mf_history.parquet`: automl/DeepCAVE, logs/AMLTK/smac_optimizer_mf/run_1,
  Apache-2.0. The cut: all rows; configuration and budget taken out of the column `name`.

What is expected is read back from the cuts by pandas and json alone: per configuration its
hyperparameters, its values by epoch and its seconds by epoch.
"""

import gzip
import json
import math
import pathlib
import sys

import pandas

HERE = pathlib.Path(__file__).parent
SOURCE = pathlib.Path(sys.argv[1])


def lines(name):
    with gzip.open(SOURCE / name, "rt") as text:
        return [json.loads(line) for line in text]


def plain(value):
    """A cell as JSON has it; None where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pandas.NA:
        return None
    return value.item() if hasattr(value, "item") else value


def optuna_long():
    rows = []
    for trial in lines("optuna_dashboard_sample_100trials.jsonl.gz")[:30]:
        steps = trial["intermediate_values"]
        times = [pandas.Timestamp(trial[k]) for k in ("datetime_start", "datetime_complete")]
        took = (times[1] - times[0]).total_seconds()
        for at, (step, value) in enumerate(steps):
            clock = round(took * (at + 1) / len(steps), 6)
            row = {"trial": f"t{trial['number']:03}", "step": step, "accuracy": value * 100}
            rows.append({**row, "clock": clock, **trial["params"], "study": "dashboard"})
    frame = pandas.DataFrame(rows)
    frame = frame.sample(frac=1.0, random_state=7)
    frame.to_csv(HERE / "optuna_long.csv", index=False)
    frame = pandas.read_csv(HERE / "optuna_long.csv", float_precision="round_trip")
    given = [c for c in frame if c not in ("trial", "step", "accuracy", "clock", "study")]
    expected = {}
    for trial, of in frame.groupby("trial"):
        of = of.sort_values("step")
        seconds = of["clock"].diff().fillna(of["clock"].iloc[0])
        expected[trial] = {
            "values": {c: plain(of[c].iloc[0]) for c in given},
            "curve": [plain(v / 100) for v in of["accuracy"]],
            "seconds": [plain(s) for s in seconds],
        }
    return expected


def wandb_lists():
    cut = lines("wandb_sweeps_hyperband_116runs.jsonl.gz")[:8]
    with open(HERE / "wandb_lists.jsonl", "w") as text:
        for run in cut:
            text.write(json.dumps(run, separators=(",", ":")) + "\n")
    frame = pandas.read_json(HERE / "wandb_lists.jsonl", lines=True, precise_float=True)
    return {
        str(run): {"values": {}, "curve": curve, "seconds": [2.5] * len(curve)}
        for run, curve in zip(frame["run"], frame["metric"])
    }


def amltk_parquet():
    frame = pandas.read_parquet(SOURCE / "amltk_smac_mf_history.parquet").reset_index()
    parts = frame["name"].str.extract(r"config_id=(\d+)_.*budget=([\d.]+)_")
    frame["config"] = parts[0].astype("int64")
    frame["budget"] = parts[1].astype("float64")
    keep = ["config", "budget", "status", "created_at", "exception"]
    keep += [c for c in frame if c.startswith(("metric:", "config:"))]
    keep += ["profile:trial:time:duration"]
    frame[keep].to_parquet(HERE / "amltk.parquet", index=False)
    frame = pandas.read_parquet(HERE / "amltk.parquet")
    steps = sorted(frame["budget"].unique())
    metric = next(c for c in frame if c.startswith("metric:"))
    expected = {}
    for config, of in frame.groupby("config"):
        of = of.sort_values("budget")
        first, last = steps.index(of["budget"].iloc[0]), steps.index(of["budget"].iloc[-1])
        by = dict(zip(of["budget"], zip(of[metric], of["profile:trial:time:duration"])))
        expected[str(config)] = {
            "values": {c: plain(of[c].iloc[0]) for c in frame if c.startswith("config:")},
            "curve": [None] * first
            + [plain(by[s][0]) if s in by else None for s in steps[first : last + 1]],
            "seconds": None,
        }
    return expected


if __name__ == "__main__":
    golden = {
        "optuna_long.csv": optuna_long(),
        "wandb_lists.jsonl": wandb_lists(),
        "amltk.parquet": amltk_parquet(),
    }
    (HERE / "expected.json").write_text(json.dumps(golden, indent=1) + "\n")
