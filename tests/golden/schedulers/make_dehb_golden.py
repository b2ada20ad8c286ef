#!/usr/bin/env python3
"""Makes dehb.json: every job that the package DEHB gives out in scripted runs.

Versions: Python 3.11, numpy 2.4, DEHB 0.1.2, ConfigSpace 1.2.2.
Run from anywhere: python3 make_dehb_golden.py

A run asks until `workers` jobs are out and then tells one of them a loss; all losses differ, and
which job is told follows from the seed. Jobs are numbered as they were asked for; a job whose
configuration ran before, in a job below, is a promotion of that one. With several workers the
package may run a configuration again that it promoted before, which ours does not: the seeds are
of runs where it never does.
"""
import json
import pathlib
import tempfile

import numpy as np
from dehb import DEHB
from loguru import logger

logger.remove()
# (last epoch, workers, jobs, seed)
CASES = [
    (9, 1, 120, 0), (27, 1, 220, 1), (81, 1, 260, 2),
    (9, 4, 120, 3), (27, 4, 220, 8), (81, 4, 260, 14),
]


def case(max_epoch, workers, count, seed):
    rng = np.random.default_rng(seed)
    losses = rng.permutation(count) / count
    with tempfile.TemporaryDirectory() as path:
        dehb = DEHB(
            f=None, cs=None, dimensions=3, min_fidelity=1, max_fidelity=max_epoch, eta=3,
            mutation_factor=0.5, crossover_prob=0.5, strategy="rand1_bin", n_workers=1, seed=seed,
            output_path=path, save_freq=None,
        )
        events, out, jobs, last_of = [], [], [], {}
        ran = set()
        while len(jobs) < count:
            while len(out) < workers and len(jobs) < count:
                job = dehb.ask()
                key = job["config_id"]
                until = int(round(job["fidelity"]))
                assert (key, until) not in ran, "a configuration runs again"
                ran.add((key, until))
                events.append({
                    "bracket": int(job["bracket_id"]), "until": until,
                    "parent": int(job["parent_id"]), "promoted": last_of.get(key),
                })
                last_of[key] = len(jobs)
                out.append(len(jobs))
                jobs.append(job)
            number = out.pop(int(rng.integers(len(out))))
            events.append({"tell": number, "loss": float(losses[number])})
            dehb.tell(jobs[number], {"fitness": float(losses[number]), "cost": 1.0})
        holders = []
        for fidelity in sorted(dehb.de):
            level = dehb.de[fidelity]
            told = zip(level.population_ids, level.fitness)
            holders.append([
                last_of[int(key)] if np.isfinite(fitness) else None for key, fitness in told
            ])
    return {"max": max_epoch, "events": events, "holders": holders}


found = [case(*rest) for rest in CASES]
out = pathlib.Path(__file__).with_name("dehb.json")
out.write_text(json.dumps(found) + "\n")
