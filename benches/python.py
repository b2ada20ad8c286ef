"""What the Python module costs a call, and what the simulated clock costs a study of Optuna's.

    python benches/python.py [TRIALS]

with the module installed from an optimised build (`pip install .`). The processor's time of this
process is taken, medians of several sittings, so that others on the machine matter less. Prints a
hash of the results, which must not change with the speed.
"""

import hashlib
import pathlib
import statistics
import sys
import time

import optuna

import curvebook
import curvebook.optuna

TABLE = pathlib.Path(__file__).parents[1] / "tables" / "digits-lenet"
SITTINGS = 7


def seconds(work) -> float:
    """What some work takes of the processor."""
    began = time.process_time()
    work()
    return time.process_time() - began


def calls(table: curvebook.Table) -> str:
    """A whole table by 16 workers: the cost of `start`, of `advance`, and of a loop about both."""
    starts, advances, loops, hashed = [], [], [], ""
    for _ in range(SITTINGS):
        simulator = curvebook.Simulator(table, workers=len(table))
        rows = table.rows
        starts.append(seconds(lambda: [simulator.start(row) for row in rows]) / len(rows))
        epochs = len(rows) * table.epochs
        advance = simulator.advance

        def drain():
            for _ in range(epochs):
                advance()

        advances.append(seconds(drain) / epochs)
        assert advance() is None
        hashed = hashlib.sha256(str(simulator.now_ns).encode()).hexdigest()

        simulator = curvebook.Simulator(table, workers=16)
        count = 0

        def loop():
            nonlocal count
            while True:
                while simulator.ready:
                    simulator.start()
                    count += 1
                event = simulator.advance()
                if event is None:
                    break
                count += 1

        took = seconds(loop)
        loops.append(took / count)
    for name, costs in (("start", starts), ("advance", advances), ("a loop, a call", loops)):
        print(f"{name}: {statistics.median(costs) * 1e6:.2f} us, least {min(costs) * 1e6:.2f}")
    return hashed


def study(table: curvebook.Table, trials: int) -> None:
    """TPE over the simulator, and the same study with an objective that costs nothing."""
    alone, clocked = [], []
    for _ in range(SITTINGS):
        simulator = curvebook.Simulator(table)
        sampler = optuna.samplers.TPESampler(seed=0)
        on_clock = curvebook.optuna.create_study(table, sampler=sampler)
        optimize = curvebook.optuna.optimize
        clocked.append(seconds(lambda: optimize(on_clock, simulator, n_trials=trials)))
        told = [trial.intermediate_values for trial in on_clock.trials]
        values = [trial.value for trial in on_clock.trials]
        parameters = table.parameters
        sampler = optuna.samplers.TPESampler(seed=0)
        by_itself = curvebook.optuna.create_study(table, sampler=sampler)

        def objective(trial: optuna.Trial) -> float:
            curvebook.optuna.suggest(trial, parameters)
            for step, value in told[trial.number].items():
                trial.report(value, step)
                trial.should_prune()
            return values[trial.number]

        alone.append(seconds(lambda: by_itself.optimize(objective, n_trials=trials)))
        assert [t.params for t in by_itself.trials] == [t.params for t in on_clock.trials]
    least = [min(alone) / trials * 1e3, min(clocked) / trials * 1e3]
    print(
        f"{trials} trials of TPE, a trial, the least of {SITTINGS} sittings: alone "
        f"{least[0]:.3f} ms, on the clock {least[1]:.3f} ms, ratio {least[1] / least[0]:.3f}; "
        f"medians {statistics.median(alone) / trials * 1e3:.3f} and "
        f"{statistics.median(clocked) / trials * 1e3:.3f} ms"
    )


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    table = curvebook.Table(TABLE)
    print("results", calls(table)[:8])
    study(table, trials)


if __name__ == "__main__":
    main()
