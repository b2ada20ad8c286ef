"""The program's methods under a loop of Python's, on a space."""

import math

import pytest

import curvebook

SPACE = [
    {"name": "rate", "type": "float", "low": 1e-4, "high": 1.0, "log": True},
    {"name": "units", "type": "int", "low": 1, "high": 64},
    {"name": "kind", "type": "categorical", "choices": ["a", "b"]},
    {
        "name": "depth",
        "type": "int",
        "low": 1,
        "high": 4,
        "condition": {"name": "kind", "in": ["b"]},
    },
]


def loss(config: dict) -> float:
    return (math.log10(config["rate"]) + 2) ** 2 + config["units"] / 64


@pytest.mark.parametrize("sampler", ["random", "tpe", "rf-ei", "cma-es", "sobol"])
def test_a_sampler_minimises(sampler):
    values = []
    for seed in (0, 0):
        proposer = curvebook.Sampler(sampler, SPACE, seed, direction="minimize", candidates=512)
        told = []
        for _ in range(40):
            trial, config = proposer.ask()
            assert ("depth" in config) == (config["kind"] == "b")
            told.append(loss(config))
            proposer.tell(trial, told[-1])
        values.append(told)
    assert values[0] == values[1], "the same seed proposes the same"
    if sampler in ("tpe", "rf-ei", "cma-es"):
        assert min(values[0][20:]) < min(values[0][:10])


def test_a_rule_stops():
    rule = curvebook.Stopper("median", "digits-lenet", epochs=5)
    stopped = []
    for level in (0.9, 0.8, 0.7, 0.85, 0.75, 0.8, 0.1, 0.95):
        trial = rule.begin()
        for _ in range(5):
            if rule.should_stop(trial, level):
                stopped.append(level)
                break
        rule.end(trial)
    assert 0.1 in stopped and 0.9 not in stopped and 0.95 not in stopped


def test_a_scheduler_pauses_and_resumes():
    optimizer = curvebook.Optimizer(SPACE, scheduler="asha", epochs=9, workers=1, max_trials=27)
    resumed, epochs = 0, 0
    while (trial := optimizer.ask()) is not None:
        resumed += not optimizer.is_new(trial)
        level = -loss(optimizer.config(trial))
        while optimizer.tell(trial, level) == "go":
            epochs += 1
        epochs += 1
    assert optimizer.exhausted and len(optimizer) == 27
    assert resumed > 3 and epochs < 27 * 9


@pytest.mark.parametrize("stopper", ["etr2", "median", "percentile", "interval", "threshold"])
@pytest.mark.parametrize("sampler", ["tpe", "rf-ei"])
def test_trials_may_end_wherever_they_do(sampler, stopper):
    known = [method["name"] for method in curvebook.methods()["stoppers"]]
    assert stopper in known
    optimizer = curvebook.Optimizer(
        SPACE, sampler=sampler, stopper=stopper, epochs=9, chance=0.0, candidates=300
    )
    for at in range(40):
        trial = optimizer.ask(float(at))
        for epoch in range(at % 9):
            if optimizer.tell(trial, at % 7 / 7 + epoch / 100, float(at)) != "go":
                break
        if optimizer.state(trial) == "running":
            optimizer.conclude(trial, ["completed", "stopped", "failed"][at % 3], float(at))
        wanted = "failed" if at % 9 == 0 or at % 3 == 2 else None
        assert wanted is None or optimizer.state(trial) in (wanted, "stopped")


def refused(call) -> curvebook.InputError:
    with pytest.raises(curvebook.InputError) as caught:
        call()
    return caught.value


def test_what_is_wrong_is_named(digits):
    make = curvebook.Optimizer
    assert refused(lambda: make(SPACE, sampler="tpee")).remedy == "did you mean `tpe`?"
    assert refused(lambda: make(SPACE, direction="up")).field == "direction"
    assert refused(lambda: make(SPACE, epochs=0)).field == "epochs"
    assert refused(lambda: make(SPACE, candidates=10**6)).field == "candidates"
    assert refused(lambda: make(SPACE, budget_seconds=5)).field == "budget_seconds"
    assert refused(lambda: make(5)).file == "space"
    assert refused(lambda: make("no-such-space")).value == "no-such-space"
    assert refused(lambda: make([{"name": "x", "type": "float", "low": 1.0}])).file == "space"
    assert refused(lambda: make(digits, stopper="etr1:tau=99")).field == "stopper"
    assert refused(lambda: make(SPACE, stopper="etr1")).value  # no chance level
    optimizer = make(SPACE, epochs=3)
    assert refused(lambda: optimizer.tell(0, 1.0)).field == "trial"
    trial = optimizer.ask(5.0)
    assert refused(lambda: optimizer.tell(trial, 1.0, now=4.0)).field == "now"
    assert [optimizer.tell(trial, value) for value in (1.0, None, math.nan)][-1] == "completed"
    assert "is completed" in refused(lambda: optimizer.tell(trial, 1.0)).rule
    assert refused(lambda: optimizer.conclude(optimizer.ask(), "done")).field == "state"
    assert refused(lambda: optimizer.begin({"rate": 0.1})).field == "units"
