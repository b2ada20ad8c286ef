"""Random histories of trials, and what drives a peer's rule through them.

Run by itself it makes histories.json: 1,000 experiments of a few trials each, with NaN, epochs
that were not measured, ties, curves that end early (complete or crashed), one to three workers,
both directions, on a grid of 1/64 and on a scale without pattern. Values are multiples of 1/4096:
their sums are exact in f64, so that what ties ties. (Else peers that compare averages strictly stop
by the last bit: of three times 0.1 the average is more than 0.1. Our rules have a slack there.)
The scripts beside it run each experiment through a peer's own code and write the stopping epochs.

Versions: Python 3.11, standard library alone. Run from anywhere: python3 histories.py
"""
import heapq
import json
import math
import pathlib
import random

HERE = pathlib.Path(__file__).parent
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
EPOCHS = "-" + DIGITS
NOT_MEASURED, DIVERGED = ".", "!"
SCALES = {
    "grid": [k / 64 for k in range(64)],
    "irregular": [round(4096 * (0.02 + 0.9 * (1 - math.exp(-k / 20)))) / 4096 for k in range(64)],
}


def random_curve(rng, length, levels, p_gap, p_nan):
    kind = rng.random()
    level = rng.randrange(levels)
    symbols = []
    for _ in range(length):
        if kind < 0.6:
            level += rng.choice([0, 0, 1, 1, 2, 4, -1, -3])
        elif kind < 0.8:
            level = rng.randrange(levels)
        level = min(max(level, 0), 63)
        draw = rng.random()
        if draw < p_gap:
            symbols.append(NOT_MEASURED)
        elif draw < p_gap + p_nan:
            symbols.append(DIVERGED)
        else:
            symbols.append(DIGITS[level])
    if rng.random() < p_nan:
        # Diverged for good.
        at = rng.randrange(length)
        symbols[at:] = DIVERGED * (length - at)
    return "".join(symbols)


def random_study(rng, at):
    is_long = at % 25 == 0
    epochs = 60 if is_long else rng.randint(3, 12)
    trials = 6 if is_long else rng.randint(6, 14)
    levels = rng.choice([3, 8, 24, 64])
    p_gap, p_nan = rng.choice([0, 0, 0.08, 0.3]), rng.choice([0, 0, 0.01, 0.15])
    curves, last = [], ""
    for _ in range(trials):
        length = epochs if rng.random() < 0.85 else rng.randint(1, epochs)
        curves.append(random_curve(rng, length, levels, p_gap, p_nan))
        # A shorter curve is complete there, or crashed.
        complete = length < epochs and rng.random() < 0.5
        last += EPOCHS[length if complete else 0]
    return {
        "epochs": epochs,
        "workers": rng.randint(1, 3),
        "minimise": at % 2 == 1,
        "chance": rng.choice([None, 8]),
        "scale": "grid" if at % 4 < 2 else "irregular",
        "costs": "".join(str(rng.randint(1, 3)) for _ in range(trials)),
        "last": last,
        "curves": curves,
    }


def studies():
    return json.loads((HERE / "histories.json").read_text())["studies"]


def chance_of(study):
    return None if study["chance"] is None else SCALES[study["scale"]][study["chance"]]


def decode(study, curve):
    """Values by epoch; None where not measured."""
    scale = SCALES[study["scale"]]
    value = {NOT_MEASURED: None, DIVERGED: math.nan}
    return [value[s] if s in value else scale[DIGITS.index(s)] for s in curve]


def drive(study, peer):
    """The epochs after which trials are stopped, one symbol a trial: `-` is never. At one instant
    epochs end in the order of trials, then free workers start new ones. What a peer says at the
    last epoch of a curve changes nothing."""
    curves = [decode(study, curve) for curve in study["curves"]]
    ends = [EPOCHS[0]] * len(curves)
    last = [EPOCHS.index(e) or study["epochs"] for e in study["last"]]
    queue, epoch_of = [], [0] * len(curves)
    free, started, now = study["workers"], 0, 0
    while True:
        while free and started < len(curves):
            peer.start(started)
            heapq.heappush(queue, (now + int(study["costs"][started]), started))
            free, started = free - 1, started + 1
        if not queue:
            return "".join(ends)
        now = queue[0][0]
        due = []
        while queue and queue[0][0] == now:
            due.append(heapq.heappop(queue)[1])
        for trial in due:
            epoch_of[trial] += 1
            epoch, curve = epoch_of[trial], curves[trial]
            value = curve[epoch - 1]
            over = epoch == len(curve)
            stops = value is not None and peer.report(trial, epoch, value, over)
            if over:
                peer.end(trial, "completed" if epoch == last[trial] else "failed")
            elif stops:
                ends[trial] = EPOCHS[epoch]
                peer.end(trial, "stopped")
            else:
                heapq.heappush(queue, (now + int(study["costs"][trial]), trial))
                continue
            free += 1


def write(name, versions, rules, every=1):
    """Runs each (rule, function of a study that makes the peer) over the studies and writes
    NAME.json. Where making and asking the peer takes long each `every`-th study alone is run; a
    rule may have a number of its own as a third part."""
    results, all_studies = [], studies()
    for rule, make, *own in rules:
        step = own[0] if own else every
        ends = [drive(study, make(study)) for study in all_studies[::step]]
        stopped = sum(len(e) - e.count(EPOCHS[0]) for e in ends)
        print(f"{rule}: {stopped} of {sum(map(len, ends))} trials stopped", flush=True)
        results.append({"rule": rule, "every": step, "ends": ends})
    lines = ",\n".join(json.dumps(r) for r in results)
    text = f'{{"versions": {json.dumps(versions)}, "results": [\n{lines}\n]}}\n'
    (HERE / f"{name}.json").write_text(text)


if __name__ == "__main__":
    rng = random.Random(20260711)
    lines = ",\n".join(json.dumps(random_study(rng, at)) for at in range(1000))
    text = f'{{"scales": {json.dumps(SCALES)}, "studies": [\n{lines}\n]}}\n'
    (HERE / "histories.json").write_text(text)
