"""Optuna's TPE and MedianPruner on recorded curves, four workers, on the simulated clock."""

import pathlib

import optuna

import curvebook
import curvebook.optuna

TABLE = pathlib.Path(__file__).parents[3] / "tables" / "digits-lenet"


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    table = curvebook.Table(TABLE)
    for pruner in (optuna.pruners.NopPruner(), optuna.pruners.MedianPruner(n_warmup_steps=3)):
        simulator = curvebook.Simulator(table, workers=4, goal="top:0.02")
        sampler = optuna.samplers.TPESampler(seed=1)
        study = curvebook.optuna.create_study(table, sampler=sampler, pruner=pruner)
        curvebook.optuna.optimize(study, simulator)
        pruned = sum(t.state == optuna.trial.TrialState.PRUNED for t in study.trials)
        print(
            f"{type(pruner).__name__}: {simulator.end_reason} after {simulator.now:.1f} simulated "
            f"seconds, {len(study.trials)} trials, {pruned} of them pruned, "
            f"best {simulator.best['value']:.4f}"
        )


if __name__ == "__main__":
    main()
