"""The simulator against the engine: the same events, segments and nanoseconds."""

import math
import os

import pyarrow
import pytest

import curvebook
from conftest import DIGITS, GOLDEN, rows_of

CASES = {
    "one-worker": {},
    "two-workers-two-goals": {"workers": 2},
    "etr1-tau1": {"stopper": "etr1:tau=1"},
    "etr1-tau3-three-workers": {"stopper": "etr1:tau=3", "workers": 3},
    "etr2-ratio": {"stopper": "etr2:p=0.9,q=0.75"},
    "etr2-two-workers": {"stopper": "etr2:p=0.5,q=0.75", "workers": 2},
    "never": {"stopper": "etr1:tau=1", "workers": 2},
    "budget": {"workers": 2, "budget_seconds": 20},
    "max-trials": {"stopper": "etr1:tau=1", "workers": 2, "max_trials": 5},
}


@pytest.mark.parametrize("repeat", range(3))
@pytest.mark.parametrize("name", CASES)
def test_golden_runs(tiny, name, repeat):
    runs = [r for r in rows_of(GOLDEN / f"{name}.runs.csv") if r["repeat"] == str(repeat)]
    trace = [r for r in rows_of(GOLDEN / f"{name}.trace.csv") if r["repeat"] == str(repeat)]
    order = [r for r in rows_of(GOLDEN / "tiny/order.csv") if r["repeat"] == str(repeat)]
    order = [int(row["config_id"]) for row in order]
    settings = dict(CASES[name])
    rule = curvebook.Stopper(settings.pop("stopper", "none"), tiny)
    goals = [run["goal"] for run in runs]
    simulator = curvebook.Simulator(tiny, repeat=repeat, goals=goals, **settings)
    while True:
        while simulator.ready:
            row = order[len(simulator)]
            assert simulator.start(row) == rule.begin(tiny.config(row))
        event = simulator.advance()
        if event is None:
            break
        trial, epoch, value, now = event
        assert value == tiny.value(simulator.row(trial), epoch) or math.isnan(value)
        assert now == simulator.now
        if rule.should_stop(trial, value):
            simulator.stop(trial)
    simulator.finish()

    segments = pyarrow.table(simulator.trace()).to_pylist()
    assert len(segments) == len(trace)
    for segment, wanted in zip(segments, trace):
        for column in ("trial", "config_id", "worker", "start_ns", "end_ns", "epochs"):
            assert segment[column] == int(wanted[column]), (column, segment, wanted)
        assert segment["end_state"] == wanted["end_state"]
        value = float(wanted["value"]) if wanted["value"] else None
        assert segment["value"] == value
    for goal, run in zip(simulator.goals, runs):
        at = run["time_to_goal_ns"]
        assert goal["time_to_goal_s"] == (int(at) / 1e9 if at else None)
    assert simulator.end_reason == runs[-1]["end_reason"]
    assert simulator.now_ns == int(runs[-1]["end_ns"])


METHODS = [
    ("random", "fifo", "none", 1),
    ("random", "fifo", "median", 4),
    ("tpe", "fifo", "etr1:tau=1,epsilon=0.05", 3),
    ("tpe", "asha", "none", 4),
    ("rf-ei", "hyperband", "none", 2),
    ("cma-es", "successive-halving", "none", 3),
    ("de", "dehb", "none", 2),
    ("warm-start:table=self,trials=9,top=4,epochs=3", "fifo", "none", 3),
]

COLUMNS = [
    "trial",
    "config_id",
    "curve_repeat",
    "worker",
    "start_ns",
    "end_ns",
    "epoch_first",
    "epochs",
    "end_state",
    "value",
    "reported",
    "overhead_ns",
]


def drive(optimizer: curvebook.Optimizer, simulator: curvebook.Simulator) -> None:
    """The loop that a replay is: free workers ask until one waits, once a segment has ended."""
    asks = True
    while True:
        while asks and simulator.ready:
            trial = optimizer.ask(simulator.now)
            if trial is None:
                asks = False
            elif optimizer.is_new(trial):
                overhead = optimizer.overhead(trial)
                assert simulator.start(optimizer.row(trial), overhead=overhead) == trial
            else:
                simulator.resume(trial)
        event = simulator.advance()
        if event is None:
            break
        trial, epoch, value, now = event
        answer = optimizer.tell(trial, value, now)
        if answer == "stop":
            simulator.stop(trial)
        elif answer == "pause":
            simulator.pause(trial)
        asks = asks or answer != "go"
        assert (simulator.state(trial) == "completed") == (answer == "completed")
    simulator.finish()


def check_same(table: curvebook.Table, methods: dict, run: dict, charges: dict, **options) -> dict:
    """Our methods under a loop of Python's give the replay's trace; its row of the runs."""
    replayed = curvebook.replay(
        table=table.path, repeats=1, trace=True, no_analysis=True, **methods, **run, **charges,
        **options,
    )
    wanted = pyarrow.table(replayed.trace).select(COLUMNS).to_pylist()
    simulator = curvebook.Simulator(table, **run, **charges)
    drive(curvebook.Optimizer(table, **methods, **run), simulator)
    assert pyarrow.table(simulator.trace()).select(COLUMNS).to_pylist() == wanted
    summary = pyarrow.table(replayed.runs).to_pylist()[0]
    assert summary["end_s"] == simulator.now
    assert summary["end_reason"] == simulator.end_reason
    best = simulator.best
    assert summary["selected_config"] == best["row"]
    assert summary["selected_epoch"] == best["epoch"]
    assert summary["selected_value"] == best["value"]
    assert summary["selected_test"] == best["test_value"]
    return summary


@pytest.mark.parametrize("sampler, scheduler, stopper, workers", METHODS)
def test_our_methods_under_a_loop_are_the_replay(digits, sampler, scheduler, stopper, workers):
    methods = {"sampler": sampler, "scheduler": scheduler, "stopper": stopper}
    run = {"goal": "rank:3", "workers": workers, "seed": 5, "max_trials": 40}
    summary = check_same(digits, methods, run, {"trial_overhead": 0.5, "resume_cost": 0.0625})
    assert summary["trials"] == 40 or summary["end_reason"] == "goal"


ALONE = [
    (kind, method["name"])
    for kind, of_kind in curvebook.methods().items()
    for method in of_kind
    # An order, a prior and a cheaper table are files, and an ending ends a replay.
    if kind != "endings" and method["name"] not in ("recorded", "prior", "warm-start")
]

# They train or sample models for seconds a decision, and run where everything is asked for.
SLOW = ["bnn-curve", "curve", "dpl", "dyhpo", "freeze-thaw", "gp-curve", "pop"]
WANTS_ALL = os.environ.get("CURVEBOOK_CONFORMANCE") == "full"


@pytest.mark.parametrize("kind, name", ALONE)
def test_every_method_by_itself_is_the_replay(kind, name):
    if name in SLOW and not WANTS_ALL:
        pytest.skip("slow: set CURVEBOOK_CONFORMANCE=full")
    table = curvebook.Table(DIGITS, rows="0..150")
    run = {"goal": "rank:1", "workers": 2, "seed": 1, "max_trials": 14}
    check_same(table, {kind.removesuffix("s"): name}, run, {}, rows="0..150")


def test_events_and_segments_tell_the_same(digits):
    simulator = curvebook.Simulator(digits, workers=2)
    for _ in range(2):
        simulator.start()
    while simulator.advance() is not None:
        pass
    events = pyarrow.table(simulator.events()).to_pylist()
    assert len(events) == 60 and events[-1]["state"] == "completed"
    segments = pyarrow.table(simulator.trace()).to_pylist()
    for segment in segments:
        own = [event for event in events if event["trial"] == segment["trial"]]
        assert own[-1]["now_ns"] == segment["end_ns"]
        assert max(event["value"] for event in own) == segment["value"]
        assert [event["value"] for event in own] == simulator.curve(segment["trial"])
    assert simulator.running == [] and simulator.end_reason is None


def test_a_paused_trial_pays_new_epochs_alone(digits):
    simulator = curvebook.Simulator(digits, resume_cost=2)
    trial = simulator.start(3)
    for _ in range(4):
        simulator.advance()
    simulator.pause(trial)
    assert simulator.paused == [trial] and simulator.free_workers == 1
    paused_at = simulator.now
    simulator.resume(trial)
    _, epoch, _, now = simulator.advance()
    assert epoch == 5
    assert now - paused_at == pytest.approx(2 + digits.curve(3)[1][4], abs=1e-8)
    assert simulator.cost(trial) == pytest.approx(now)


def test_nearest_is_what_a_replay_takes(digits):
    simulator = curvebook.Simulator(digits)
    config = digits.config(8)
    assert simulator.row(simulator.start(config)) == 8
    simulator.advance()
    simulator.stop(0)
    trial = simulator.start(config, nearest=True)
    assert simulator.row(trial) != 8 and simulator.snap_distance(trial) > 0
    with pytest.raises(curvebook.InputError) as caught:
        near = config["learning_rate"] * 1.0001
        curvebook.Simulator(digits).start(config | {"learning_rate": near})
    assert "the nearest free row is 8," in caught.value.rule


def test_overhead_is_charged(digits):
    free, charged = curvebook.Simulator(digits), curvebook.Simulator(digits, overhead="fixed:1")
    free.start(0)
    charged.start(0, overhead=0.25)
    assert charged.advance()[3] - free.advance()[3] == pytest.approx(1.25)


def refused(call) -> curvebook.InputError:
    with pytest.raises(curvebook.InputError) as caught:
        call()
    return caught.value


def test_what_cannot_be_done_is_refused(digits):
    simulator = curvebook.Simulator(digits, workers=1)
    assert "no trial has started" in refused(lambda: simulator.stop(0)).rule
    trial = simulator.start(0)
    assert refused(lambda: simulator.start(1)).field == "workers"
    assert "an epoch of the trial ended" in refused(lambda: simulator.stop(trial)).rule
    assert refused(lambda: simulator.resume(trial)).field == "trial"
    simulator.advance()
    simulator.stop(trial)
    assert "is stopped" in refused(lambda: simulator.pause(trial)).rule
    assert "trial 0 has this row" in refused(lambda: simulator.start(0)).rule
    assert refused(lambda: simulator.start(True)).field == "config"
    assert refused(lambda: simulator.start(10**30)).field == "row"
    assert refused(lambda: simulator.start(1, overhead=-1)).field == "seconds"
    simulator.finish()
    assert refused(lambda: simulator.start(1)).field == "end_reason"
    assert simulator.advance() is None
    wrong = refused(lambda: curvebook.Simulator(digits, sampler="tpe"))
    assert wrong.field == "samplers"
    assert refused(lambda: curvebook.Simulator(digits, overhead="measured")).value == "measured"
    assert refused(lambda: curvebook.Simulator(digits, workers=0)).field == "workers"
    assert refused(lambda: curvebook.Simulator(digits, seed=-1)).field == "seed"
    assert refused(lambda: curvebook.Simulator(digits, budget_seconds=math.nan)).value == "NaN"


def test_decisions_are_taken_at_their_instant(digits):
    simulator = curvebook.Simulator(digits, workers=2)
    simulator.start(0)
    simulator.start(1)
    first = simulator.advance()[0]
    while simulator.advance()[0] == first:
        pass
    error = refused(lambda: simulator.stop(first))
    assert "epoch of the trial ended" in error.rule


def test_a_table_may_run_out(tiny):
    simulator = curvebook.Simulator(tiny, workers=50)
    while simulator.ready:
        simulator.start()
    assert len(simulator) == 12 and simulator.next_row is None
    while simulator.advance() is not None:
        pass
    assert refused(simulator.start).field == "config"
    simulator.finish()
    assert simulator.end_reason == "exhausted"
