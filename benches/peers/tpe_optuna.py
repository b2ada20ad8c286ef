#!/usr/bin/env python3
"""Time of a TPE trial in Optuna 4.9.0 and in rustuna 0.2.0 (Optuna's own port to Rust), as
benches/samplers.rs has it: 300 trials from the first on in 9 real parameters (and, with Optuna, in those
of mnist-lenet), ask, suggest and tell, a mean over all trials by CPU time;
nothing is trained.

Needs: Python 3.11, numpy 2.4.6, optuna 4.9.0, rustuna 0.2.0. Run it by
OMP_NUM_THREADS=1 python3 tpe_optuna.py [RUNS]

On 2026-11-28, two cores of an AMD EPYC with a load average of 20: Optuna 29.7 ms a trial (9 real)
and 43.0 ms (mnist-lenet), rustuna 0.305 and 1.29 ms; the Rust bench minutes before 0.217 and 0.232.
"""
import logging
import sys
import time

import optuna
import rustuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
logging.disable(logging.INFO)
TRIALS = 300


def reals(trial):
    return [trial.suggest_float(f"x{at}", 0.0, 1.0) for at in range(9)]


def mixed(trial):
    whole = [("c1_filters", 1, 350), ("c2_filters", 1, 350), ("fc_units", 1, 1024),
             ("kernel", 2, 10), ("p1_size", 2, 3), ("p2_size", 2, 3)]
    found = [(trial.suggest_int(name, low, high) - low + 0.5) / (high - low + 1)
             for name, low, high in whole]
    trial.suggest_float("learning_rate", 1e-4, 0.316, log=True)
    return found + [trial.suggest_float("l2_weight", 0.0, 1.0),
                    trial.suggest_float("dropout", 0.0, 0.9) / 0.9]


def run(module, sampler, suggest):
    study = module.create_study(direction="maximize", sampler=sampler)
    start = time.process_time()
    for _ in range(TRIALS):
        trial = study.ask()
        point = suggest(trial)
        study.tell(trial.number, -sum((u - 0.4) ** 2 / (at + 1) for at, u in enumerate(point)))
    return (time.process_time() - start) / TRIALS


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    cases = [
        ("optuna 4.9, 9 real", optuna, lambda s: optuna.samplers.TPESampler(seed=s), reals),
        ("optuna 4.9, mnist-lenet", optuna, lambda s: optuna.samplers.TPESampler(seed=s), mixed),
        ("rustuna 0.2, 9 real", rustuna, lambda s: rustuna.samplers.TPESampler(seed=s), reals),
        ("rustuna 0.2, mnist-lenet", rustuna, lambda s: rustuna.samplers.TPESampler(seed=s), mixed),
    ]
    for name, module, sampler, suggest in cases:
        taken = sorted(run(module, sampler(seed), suggest) for seed in range(runs))
        print(f"{name:>26}: median {1e6 * taken[len(taken) // 2]:.0f} us a trial, "
              f"{1e6 * taken[0]:.0f} to {1e6 * taken[-1]:.0f}")


main()
