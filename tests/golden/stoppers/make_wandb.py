#!/usr/bin/env python3
"""Makes wandb.json: where W&B's band rule stops the trials of histories.json, and
wandb_runs.json: what it stops of 116 recorded runs, all at once.

Versions: Python 3.11, sweeps 0.3.0, numpy 2.4.6.
Run from anywhere: python3 make_wandb.py [RUNS.jsonl.gz]
The recorded runs are those of wandb/sweeps, `tests/data/hyper-data.yaml` (MIT), one a line:
{"run": 0, "metric": [...]}, an accuracy. Of each, wandb_runs.json keeps what the rule can see: at
30, 45 and 67 reports, and at one more of each (steps counted from 0, as that test and sweeps before
0.3.0 do), the value and the best so far; null where the run is shorter.
"""
import functools
import gzip
import json
import pathlib
import sys
import warnings

import sweeps.hyperband_stopping as hyperband
from histories import write
from sweeps.run import RunState, SweepRun

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
BANDS = [30, 45, 67]


def config(goal, **settings):
    return {"method": "grid", "parameters": {"a": {"values": [1]}},
            "metric": {"name": "y", "goal": goal},
            "early_terminate": {"type": "hyperband", **settings}}


# It validates the configuration anew at every call, which takes most of the time.
filled = hyperband.hyperband_baseline_validate_and_fill


@functools.cache
def filled_text(text):
    return filled(json.loads(text))


hyperband.hyperband_baseline_validate_and_fill = lambda c: filled_text(json.dumps(c))


class Peer:
    """Asks after every report, or after the reports at the bands alone."""

    def __init__(self, study, only_at_bands, settings):
        self.config = config("minimize" if study["minimise"] else "maximize", **settings)
        self.only_at_bands, self.runs = only_at_bands, []

    def start(self, trial):
        self.runs.append(SweepRun(name=str(trial), state=RunState.running, history=[]))

    def report(self, trial, epoch, value, over):
        run = self.runs[trial]
        run.history.append({"y": value})
        stopped = hyperband.hyperband_stop_runs(self.runs, self.config)
        if self.only_at_bands:
            count = len(run.metric_history("y", filter_invalid=True))
            if value != value or count not in run.early_terminate_info["bands"]:
                return False
        return any(r is run for r in stopped)

    def end(self, trial, state):
        self.runs[trial].state = RunState.killed if state == "stopped" else RunState.finished


def rule(text, only_at_bands, **settings):
    return text, lambda study: Peer(study, only_at_bands, settings)


def recorded(path):
    runs = [json.loads(line)["metric"] for line in gzip.open(path)]
    at = [n for band in BANDS for n in (band, band + 1)]
    seen = [[[r[n - 1], max(r[:n])] if len(r) >= n else None for n in at] for r in runs]
    results = []
    for strict in (False, True):
        alive, rounds = list(range(len(runs))), []
        for band in BANDS:
            made = [SweepRun(name=str(i), state=RunState.running,
                             history=[{"y": y} for y in runs[i][:band]]) for i in alive]
            settings = config("maximize", min_iter=30, eta=1.5, strict=strict)
            stopped = [int(r.name) for r in hyperband.hyperband_stop_runs(made, settings)]
            threshold = made[0].early_terminate_info["thresholds"][len(rounds)]
            rounds.append({"threshold": -threshold, "stopped": stopped})
            alive = [i for i in alive if i not in stopped]
        results.append({"strict": strict, "rounds": rounds})
        print(strict, [(len(r["stopped"]), r["threshold"]) for r in rounds])
    lines = ",\n".join(json.dumps(row) for row in seen)
    text = (f'{{"source": "wandb/sweeps, tests/data/hyper-data.yaml (MIT)", "bands": {BANDS},\n'
            f'"results": {json.dumps(results)},\n"runs": [\n{lines}\n]}}\n')
    (HERE / "wandb_runs.json").write_text(text)


if len(sys.argv) > 1:
    recorded(sys.argv[1])
else:
    write("wandb", {"sweeps": "0.3.0", "numpy": "2.4.6"}, [
        rule("wandb-hyperband:min_iter=2,eta=2", True, min_iter=2, eta=2),
        rule("wandb-hyperband:min_iter=2,eta=2,check=report", False, min_iter=2, eta=2),
        rule("wandb-hyperband:min_iter=1,eta=1.5,strict=no", True, min_iter=1, eta=1.5,
             strict=False),
        rule("wandb-hyperband:min_iter=1,eta=1.5,strict=no,check=report", False, min_iter=1,
             eta=1.5, strict=False),
        rule("wandb-hyperband:max_iter=9,s=3,eta=1.7", True, max_iter=9, s=3, eta=1.7),
    ], every=2)
