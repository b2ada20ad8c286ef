"""A small event loop for the scripts beside it: epochs end by (instant, trial), then free workers
ask, by index. What a peer's scheduler decides in it is what tests/it/scheduler_peers.rs expects.

A table has rows of one character an epoch: CODES[k] is the score k / 64, "!" diverged, "_" not
measured. Where `minimise` is set the metric is 1 - k / 64. An epoch of a row costs COSTS[row % 5].
A segment is written trial.worker.start.end.first.last and how it ended: [c]ompleted, [s]topped,
[p]aused or cut ([x]).
"""
import heapq
import json
import math
import pathlib
import random

CODES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*+"
COSTS = [2, 3, 5, 4, 7]
HERE = pathlib.Path(__file__).resolve().parent


def table(seed, rows, epochs, noise=4, nan=0.0, null=0.0):
    """Curves that rise to some height and cross; a few diverge, and a few epochs are missing."""
    rng = random.Random(seed)
    made = []
    for _ in range(rows):
        height, speed = rng.randint(10, 60), rng.choice([1, 2, 6])
        diverges = rng.randint(1, epochs) if rng.random() < nan else epochs + 1
        row = ""
        for epoch in range(1, epochs + 1):
            score = 8 + (height - 8) * epoch / (epoch + speed) + rng.randint(-noise, noise)
            code = CODES[min(63, max(0, round(score)))]
            code = "_" if rng.random() < null else code
            row += "!" if epoch >= diverges else code
        made.append(row)
    return made


def value(code, minimise):
    """The metric; NaN where diverged, None where it was not measured."""
    if code == "_":
        return None
    if code == "!":
        return math.nan
    score = CODES.index(code) / 64
    return 1 - score if minimise else score


def run(curves, workers, peer, budget=None, minimise=False):
    """`peer.next(trial, may_start)` gives None, ("new",) or ("resume", trial); `peer.report(trial,
    epoch, value)` gives "go", "pause" or "stop"; value None is not reported but to `peer.skip`."""
    epochs = len(curves[0])
    executed, segments, events = [], [], []
    free = list(range(workers))
    now, running = 0, {}

    def begin(trial):
        worker = free.pop(0)
        running[trial] = len(segments)
        segments.append([trial, worker, now, now, executed[trial] + 1, executed[trial], "x"])
        heapq.heappush(events, (now + COSTS[trial % 5], trial))

    while True:
        while free:
            may_start = len(executed) < len(curves)
            work = peer.next(len(executed), may_start)
            if work is None:
                break
            if work[0] == "new":
                assert may_start
                executed.append(0)
                begin(len(executed) - 1)
            else:
                begin(work[1])
        if not events:
            break
        if budget is not None and events[0][0] > budget:
            now = budget
            break
        now = events[0][0]
        due = []
        while events and events[0][0] == now:
            due.append(heapq.heappop(events)[1])
        for trial in due:
            executed[trial] += 1
            epoch = executed[trial]
            shown = value(curves[trial][epoch - 1], minimise)
            fate = "go" if shown is None else peer.report(trial, epoch, shown)
            segment = segments[running[trial]]
            segment[3], segment[5] = now, epoch
            if epoch == epochs:
                fate = "complete"
            if fate == "go":
                heapq.heappush(events, (now + COSTS[trial % 5], trial))
                continue
            segment[6] = fate[0]
            del running[trial]
            free.append(segment[1])
            free.sort()
    for trial, index in running.items():
        segments[index][3] = now
    return " ".join(".".join(map(str, s[:6])) + s[6] for s in segments)


def case(scheduler, curves, workers, peer, budget=None, minimise=False):
    segments = run(curves, workers, peer, budget, minimise)
    ends = "".join(s[-1] for s in segments.split())
    counts = " ".join(f"{ends.count(e)}{e}" for e in "cspx")
    print(f"{scheduler:60} {workers:2} workers: {counts}")
    return {
        "scheduler": scheduler,
        "workers": workers,
        "budget_ns": budget,
        "minimise": minimise,
        "curves": curves,
        "segments": segments,
    }


def write(name, cases):
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")
