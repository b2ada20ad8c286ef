#!/usr/bin/env python3
"""Rate of Syne Tune's simulator, the peer of `cargo bench --bench replay`.

What: on a synthetic tabular blackbox of 1,000 configurations x 20 epochs (curves made as in
benches/replay.rs: rising to a random ceiling, a fifth of the rows never leaves chance, 1 to 2 s an
epoch) Syne Tune replays random search and ASHA (stopping type, its defaults: grace 1, reduction 3,
one bracket) for 200 trials with 1 and 4 workers. Timed is `Tuner.run()` alone: no import, no
building of the table. Nothing sleeps for real: `sleep_time=0`, SimulatorCallback.

Each line is a setting's median of `--repeats` runs on one seed. `lean` is the fastest honest way to
run it (no tuner snapshot on disk), `shipped` is Tuner's own defaults. The table stays in memory in
both, and what Syne Tune prints goes to /dev/null. The remaining columns check facts that bear on
the comparison: simulated end against what the same epochs would take without gaps on that many
workers, the share of results delivered after one of a later simulated time, and whether the runs on
one seed agree. With no worker free the simulator's clock jumps 5 s and looks again, so that its
wall time grows with the simulated time; `--seconds-scale 10` shows that.

Syne Tune draws configurations with replacement, and a round of four free workers may start up to
three trials more than asked for; the line states what was run, and rates are per epoch run.

Install (Python 3.11):
  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install syne-tune==0.16.0 \\
      numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1 scipy==1.17.1 dill==0.4.1 \\
      huggingface_hub==2.4.0   # blackboxes import the last; only `extra` declares it
Run:
  OMP_NUM_THREADS=1 /tmp/peers/bin/python benches/peers/syne_tune_random.py

Measured on 2026-11-21, Python 3.11.7, 2 shared cores (AMD EPYC), median (least to most) of 5:
  import 1.1 to 1.8 s, table 0.004 s; then
    random, 1 worker,  lean     4,000 epochs in 0.348 s (0.336 to 0.359): 11,507 epochs/s
    random, 1 worker,  shipped  4,000 epochs in 0.815 s (0.765 to 0.852):  4,911 epochs/s
    random, 4 workers, lean     4,020 epochs in 0.221 s (0.220 to 0.221): 18,213 epochs/s
    random, 4 workers, shipped  4,020 epochs in 0.665 s (0.662 to 0.747):  6,045 epochs/s
    ASHA,   1 worker,  lean       808 epochs in 0.187 s (0.186 to 0.193):  4,331 epochs/s
    ASHA,   1 worker,  shipped    808 epochs in 0.359 s (0.357 to 0.436):  2,253 epochs/s
    ASHA,   4 workers, lean       733 epochs in 0.136 s (0.135 to 0.137):  5,392 epochs/s
    ASHA,   4 workers, shipped    733 epochs in 0.326 s (0.296 to 0.373):  2,247 epochs/s
  17.6 s for the whole process, all repeats included. With `--seconds-scale 10`, medians of 3:
    random, 1 worker,  lean     4,000 epochs in 1.384 s, shipped 1.836 s
    random, 4 workers, lean     4,000 epochs in 0.517 s, shipped 0.952 s
"""

import argparse
import contextlib
import logging
import os
import statistics
import tempfile
import time

PROCESS_START = time.perf_counter()

# Two hyperparameters span the rows: with one, this Syne Tune's lookup fails under pandas 3.
BLOCKS, PLACES = 40, 25
ROWS, EPOCHS, CHANCE = BLOCKS * PLACES, 20, 0.1


def build_table(seed, seconds_scale):
    """The table; `accuracy` and `elapsed_s` have the shape (rows, one seed, epochs)."""
    import numpy as np
    import pandas as pd
    from syne_tune.blackbox_repository.blackbox_tabular import BlackboxTabular
    from syne_tune.config_space import randint

    rng = np.random.default_rng(seed)
    ceiling = 0.1 + 0.89 * rng.random((ROWS, 1))
    epoch_seconds = seconds_scale * (1.0 + rng.random((ROWS, 1)))
    is_dead = rng.random((ROWS, 1)) < 0.2
    epoch = np.arange(1, EPOCHS + 1)
    accuracy = np.where(is_dead, CHANCE, CHANCE + (ceiling - CHANCE) * epoch / (epoch + 1.0))
    # The simulator wants seconds since the trial's start, not an epoch's own.
    elapsed_s = epoch_seconds * epoch
    return BlackboxTabular(
        hyperparameters=pd.DataFrame(
            {"block": np.arange(ROWS) // PLACES, "place": np.arange(ROWS) % PLACES}
        ),
        configuration_space={"block": randint(0, BLOCKS - 1), "place": randint(0, PLACES - 1)},
        fidelity_space={"epoch": randint(1, EPOCHS)},
        objectives_evaluations=np.stack([accuracy, elapsed_s], axis=-1)[:, None, :, :],
        objectives_names=["accuracy", "elapsed_s"],
    )


def make_scheduler(method, space, seed):
    from syne_tune.optimizer.baselines import ASHA, RandomSearch

    if method == "random":
        return RandomSearch(space, metrics=["accuracy"], do_minimize=False, random_seed=seed)
    return ASHA(
        space,
        metric="accuracy",
        time_attr="epoch",
        max_t=EPOCHS,
        do_minimize=False,
        random_seed=seed,
    )


def run_once(blackbox, method, workers, trials, is_lean, seed):
    """(wall seconds of Tuner.run(), the results in the order of delivery)."""
    import numpy as np
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
    from syne_tune.blackbox_repository import UserBlackboxBackend

    np.random.seed(seed)
    callback = SimulatorCallback()
    with open(os.devnull, "w") as void, contextlib.redirect_stdout(void):
        tuner = Tuner(
            trial_backend=UserBlackboxBackend(blackbox, elapsed_time_attr="elapsed_s", seed=0),
            scheduler=make_scheduler(method, blackbox.configuration_space, seed),
            # The criterion fires above its limit; those running then finish, as with --max-trials.
            stop_criterion=StoppingCriterion(max_num_trials_started=trials - 1),
            wait_trial_completion_when_stopping=True,
            n_workers=workers,
            sleep_time=0,
            callbacks=[callback],
            save_tuner=not is_lean,
        )
        start = time.perf_counter()
        tuner.run()
        wall_s = time.perf_counter() - start
    return wall_s, callback.dataframe()


def describe(frames, workers):
    """Facts about the runs, as (trials, epochs, text)."""
    results = frames[0]
    trials, epochs = results["trial_id"].nunique(), len(results)
    # ASHA may end a trial at any epoch, so that its last elapsed time is what it was charged.
    busy_s = results.groupby("trial_id")["elapsed_s"].max().sum()
    end_s = results["st_tuner_time"].max()
    late = int((results["st_tuner_time"] < results["st_tuner_time"].cummax()).sum())
    columns = ["trial_id", "config_block", "config_place", "epoch"]
    is_same = all(
        len(results) == len(other) and (results[columns] == other[columns]).all(axis=None)
        for other in frames[1:]
    )
    if is_same:
        times_s = [frame["st_tuner_time"] for frame in frames]
        apart_s = max((times_s[0] - other_s).abs().max() for other_s in times_s[1:])
        sameness = f"repeats agree in order, differ by up to {apart_s * 1e3:.2g} ms in time"
    else:
        sameness = "repeats differ in order"
    return trials, epochs, (
        f"simulated end {end_s:,.0f} s (without gaps {busy_s / workers:,.0f} s), "
        f"{late / epochs:.0%} late; {sameness}"
    )


def main():
    parser = argparse.ArgumentParser(description="Rate of Syne Tune's simulator")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5, help="runs a line, two or more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds-scale", type=float, default=1.0, help="makes epochs longer")
    arguments = parser.parse_args()
    if arguments.trials < 1 or not arguments.seconds_scale > 0.0:
        parser.error("--trials must be 1 or more, --seconds-scale above 0")
    if arguments.repeats < 2:
        parser.error("--repeats must be 2 or more: one run agrees with itself")

    with tempfile.TemporaryDirectory() as folder:
        # Read at use: results and snapshots of the tuner go there, and nowhere else.
        os.environ["SYNETUNE_FOLDER"] = folder
        start = time.perf_counter()
        import syne_tune
        import syne_tune.blackbox_repository
        import syne_tune.optimizer.baselines

        logging.disable(logging.WARNING)
        import_s = time.perf_counter() - start
        start = time.perf_counter()
        blackbox = build_table(arguments.seed, arguments.seconds_scale)
        build_s = time.perf_counter() - start
        print(f"Syne Tune {syne_tune.__version__}: import {import_s:.2f} s, table {build_s:.3f} s")

        # One short run first, so that late imports fall on no line.
        for method in ("random", "asha"):
            run_once(blackbox, method, 4, 8, False, arguments.seed)
        for method in ("random", "asha"):
            for workers in (1, 4):
                for is_lean in (True, False):
                    runs = [
                        run_once(
                            blackbox, method, workers, arguments.trials, is_lean, arguments.seed
                        )
                        for _ in range(arguments.repeats)
                    ]
                    walls_s = sorted(wall_s for wall_s, _ in runs)
                    trials, epochs, facts = describe([frame for _, frame in runs], workers)
                    wall_s = statistics.median(walls_s)
                    print(
                        f"{method:>6}, {workers} workers, {'lean' if is_lean else 'shipped':>7}: "
                        f"{trials} trials, {epochs} epochs in {wall_s:.3f} s "
                        f"({walls_s[0]:.3f} to {walls_s[-1]:.3f}): "
                        f"{epochs / wall_s:,.0f} epochs/s; "
                        f"{facts}",
                        flush=True,
                    )
    print(f"whole process {time.perf_counter() - PROCESS_START:.1f} s")


if __name__ == "__main__":
    main()
