#!/usr/bin/env python3
"""Makes adaptive.json: where our own rule `adaptive`, written out in the plainest way from the text
of `src/methods/stoppers/adaptive/mod.rs`, stops the trials of histories.json.

Versions: Python 3.11, standard library alone. Run from anywhere: python3 make_adaptive.py
Who is exempt is drawn from the program's own random words (`src/base/rng.rs`).
"""
import hashlib
import math

from histories import EPOCHS, chance_of, write

COUNTS = [2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 49, 64]
EXEMPT = 0.05


def threefry(key, counter):
    """Threefry-2x32-20 of one counter (Salmon et al. 2011)."""
    mask, rotations = 0xFFFFFFFF, (13, 15, 26, 6, 17, 29, 16, 24)
    keys = (key[0], key[1], 0x1BD11BDA ^ key[0] ^ key[1])
    x0, x1 = (counter + keys[0]) & mask, keys[1]
    for n in range(20):
        x0 = (x0 + x1) & mask
        r = rotations[n % 8]
        x1 = ((x1 << r | x1 >> (32 - r)) & mask) ^ x0
        if n % 4 == 3:
            k = n // 4 + 1
            x0, x1 = (x0 + keys[k % 3]) & mask, (x1 + keys[(k + 1) % 3] + k) & mask
    return x0, x1


def is_exempt(trial):
    """The first number in [0, 1) of the stream of this trial, seed 0, repeat 0."""
    label = f"adaptive/exempt/{trial}".encode()
    digest = hashlib.sha256(bytes(16) + label).digest()
    key = [int.from_bytes(digest[at:at + 4], "little") for at in (0, 4)]
    low, high = threefry(key, 0)
    return ((high << 32 | low) >> 11) / 2**53 < EXEMPT


class Adaptive:
    def __init__(self, study):
        self.sign = -1 if study["minimise"] else 1
        chance = chance_of(study)
        self.chance = None if chance is None else self.sign * chance
        self.epochs = study["epochs"]
        self.costs = [int(cost) for cost in study["costs"]]
        self.last = [EPOCHS.index(e) or self.epochs for e in study["last"]]
        self.curves, self.values = {}, {}
        self.contenders, self.latest = [], []
        self.margin, self.bars = 0.0, None

    def start(self, trial):
        self.curves[trial] = {}
        self.values[trial] = []

    def report(self, trial, epoch, value, over):
        seen = self.sign * value
        if not math.isnan(seen):
            self.values[trial].append(seen)
        elif self.chance is not None:
            seen = self.chance
        else:
            seen = -math.inf
        self.curves[trial][epoch] = seen
        if over or self.bars is None or self.bars[epoch - 1] is None:
            return False
        return seen < self.bars[epoch - 1] and not is_exempt(trial)

    def end(self, trial, state):
        self.latest = (self.latest + [trial])[-64:]
        if state == "completed" and self.values[trial]:
            at = 0
            best = max(self.values[trial])
            while at < len(self.contenders) and max(self.values[self.contenders[at]]) >= best:
                at += 1
            self.contenders = (self.contenders[:at] + [trial] + self.contenders[at:])[:64]
        self.choose()

    def choose(self):
        self.bars, least = None, 1.0
        for count in COUNTS:
            if count > len(self.contenders):
                break
            margin, lows = self.margin, []
            for epoch in range(1, self.epochs + 1):
                there = [self.curves[c].get(epoch) for c in self.contenders[:count]]
                there = sorted(y for y in there if y is not None)
                lows.append(there[0] if len(there) > 1 else None)
                if len(there) > 1 and there[1] > there[0]:
                    margin = max(margin, there[1] - there[0])
            bars = [None if low is None or low - margin == -math.inf else low - margin
                    for low in lows]
            saved = whole = 0.0
            for trial in self.latest:
                cost, last = self.costs[trial], self.last[trial]
                whole += cost * last
                stops = [e for e, y in sorted(self.curves[trial].items())
                         if e < last and bars[e - 1] is not None and y < bars[e - 1]]
                if stops:
                    saved += cost * (last - stops[0])
            share = saved / whole * (1.0 - EXEMPT)
            lost = (1.0 - EXEMPT) / (count + 1)
            bound = (1.0 - share) / (1.0 - lost)
            if share > lost and (self.bars is None or bound < least):
                self.bars, least, chosen = bars, bound, margin
        if self.bars is not None:
            self.margin = max(self.margin, chosen)


write("adaptive", {"python": "3.11"}, [("adaptive", Adaptive)])
