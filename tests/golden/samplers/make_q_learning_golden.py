#!/usr/bin/env python3
"""Makes q_learning.json: MetaQNN's Q table after scripted episodes.

Versions: Python 3.11, numpy 2.4, and libs/grammar/q_learner.py of github.com/bowenbaker/metaqnn at
c9ee0c6c3fa4e3a48e3a038264ef01ab782ee6cc, which is not a package: its path is the argument.
Called of it are QLearner's constructor, update_q_value_sequence and _update_q_value; the committed
values were made from these three as they stand there.
Run from anywhere: python3 make_q_learning_golden.py q_learner.py

The learner's update is MetaQNN's own. What it calls a state enumerator is a stand-in for the binned
space: a state is (parameter, bin of the parameter before), an action leads to the next state.
"""
import importlib.util
import json
import pathlib
import sys
import types

import numpy as np

COUNTS = [4, 3, 8, 1, 5]
EPISODES = 400


class State:
    def __init__(self, at, before, terminate=0):
        self.at, self.before, self.terminate = at, before, terminate

    def as_tuple(self):
        return (self.at, self.before)


class Enumerator:
    def __init__(self, _parameters):
        pass

    def bucket_state(self, state):
        return state

    def enumerate_state(self, state, q):
        if state.terminate:
            q[state.as_tuple()] = {"actions": [], "utilities": []}
            return
        actions = [(state.at + 1, bin) for bin in range(COUNTS[state.at])]
        q[state.as_tuple()] = {"actions": actions, "utilities": [0.5] * len(actions)}

    def transition_to_action(self, _start, to):
        return to


def stand_in(name, **content):
    module = types.ModuleType(name)
    vars(module).update(content)
    sys.modules[name] = module


stand_in("cnn")
stand_in("pandas", DataFrame=lambda **_: None)
stand_in("state_enumerator", State=lambda *_: State(0, 0), StateEnumerator=Enumerator)
stand_in("state_string_utils", StateStringUtils=lambda _: None)
spec = importlib.util.spec_from_file_location("q_learner", sys.argv[1])
q_learner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(q_learner)

parameters = types.SimpleNamespace(learning_rate=0.01, discount_factor=1.0, image_size=0)
learner = q_learner.QLearner(parameters, 0.0)
rng = np.random.default_rng(5)
best = [3, 0, 6, 0, 2]
episodes = []
for _ in range(EPISODES):
    actions = [int(rng.integers(count)) for count in COUNTS]
    hits = sum(a == b for a, b in zip(actions, best))
    reward = round(0.1 + 0.15 * hits + 0.05 * float(rng.random()), 6)
    last = len(COUNTS) - 1
    states = [State(0, 0)]
    states += [State(at + 1, action, int(at == last)) for at, action in enumerate(actions)]
    learner.update_q_value_sequence(states, reward)
    episodes.append({"actions": actions, "reward": reward})

table = []
for at, count in enumerate(COUNTS):
    states = [0] if at == 0 else range(COUNTS[at - 1])
    unknown = {"utilities": [0.5] * count}
    table.append([learner.qstore.q.get((at, before), unknown)["utilities"] for before in states])
out = pathlib.Path(__file__).with_name("q_learning.json")
out.write_text(json.dumps({"counts": COUNTS, "episodes": episodes, "q": table}) + "\n")
