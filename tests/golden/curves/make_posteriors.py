#!/usr/bin/env python3
"""Makes posteriors.json: what emcee's samples say of prefixes of curves.json, and what
pylearningcurvepredictor's termination criterion decides from them.

The model is that of pylearningcurvepredictor's terminationcriterion.py (4434802): eleven families,
least-squares fits from the defaults weighted by recency (MINPACK's, and L-BFGS where that does not
converge), families dropped whose fit leaves [0, 100] at the horizon or ends below its second epoch
there; sampled from a ball of 1e-6 around the fits,
with all weights 10, by emcee's stretch move (a = 2): 100 walkers, 2,500 steps of which the first
500 are dropped, every tenth sample of the rest. The beginning is cut as its criterion cuts it. Its
code wants Python 2 and emcee 2; the log posterior here is its formula, for all walkers at once.

Of each curve `n` epochs were seen, the families of `kept` remained, and the walkers began around
`start`: all parameters, then sigma, then the weights. Of each of two seeds: P(y > y*) at the horizon for the y* of `bars` and for the
curve's own last value (`p`, in that order), mean and standard deviation of the prediction, and the
criterion's decisions by the y* of `bars`: c the conservative one, o the optimistic one, 1 to stop.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, emcee 3.1.6. Some 10 minutes on two cores.
Run from anywhere: OPENBLAS_NUM_THREADS=1 python3 make_posteriors.py [PARTS]
PARTS, a file to be, keeps what is done: a second run goes on from there.
"""
import json
import multiprocessing
import pathlib
import sys
import warnings

import emcee
import numpy as np
from scipy import optimize
from scipy.special import ndtr

from families import FAMILIES, recency_weights

HERE = pathlib.Path(__file__).parent
LENGTHS = [4, 8, 12, 16, 22]
HORIZON = 30.0
BARS = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95]
WALKERS, STEPS, BURN_IN, THIN = 100, 2500, 500, 10
THRESHOLD, CERTAIN = 0.05, 0.005
warnings.simplefilter("ignore")
np.seterr(all="ignore")


def cut_beginning(y):
    """From the first epoch on from which five lie more than 0.05 above the first of all."""
    for at in range(len(y) - 5):
        if np.all(y[at : at + 5] - y[0] > 0.05):
            return y[at:]
    return y


def least_squares(name, x, y):
    function, start = FAMILIES[name]
    root = np.sqrt(recency_weights(len(x)))

    def residuals(p):
        return root * (function(x, *p) - y)

    point, _, _, _, status = optimize.leastsq(residuals, start, full_output=True)
    if 1 <= status <= 4 and np.all(np.isfinite(residuals(point))):
        return point
    point, _, report = optimize.fmin_l_bfgs_b(
        lambda p: np.sum(residuals(p) ** 2), start, approx_grad=True
    )
    return point if report["warnflag"] == 0 and np.all(np.isfinite(point)) else None


def breaks_prior(first, last):
    """Of a family's values at epoch 2 and at the horizon; NaN passes."""
    return (last < 0) | (last > 100) | (first > last)


class Model:
    def __init__(self, x, y):
        self.x, self.y, self.families, points = x, y, [], []
        for name, (function, _) in FAMILIES.items():
            point = least_squares(name, x, y)
            if point is None:
                continue
            if not breaks_prior(function(2.0, *point), function(HORIZON, *point)):
                self.families.append(name)
                points.append(point)
        self.at = np.concatenate([x, [2.0, HORIZON]])
        self.weights = recency_weights(len(x))
        if self.families:
            values = [FAMILIES[f][0](x, *p) for f, p in zip(self.families, points)]
            sigma = max(np.std(y - np.mean(values, axis=0)), 1e-6)
            self.start = np.concatenate([*points, [sigma], [10.0] * len(points)])

    def values(self, theta):
        """Combined values at `at`, sigma, and whether the prior allows it; a row a walker."""
        count, used = len(self.families), 0
        weights = theta[:, -count:]
        sigma = theta[:, -count - 1]
        allowed = np.all(weights >= 0, axis=1)
        combined = 0.0
        for family, weight in zip(self.families, (weights / weights.sum(axis=1)[:, None]).T):
            function, start = FAMILIES[family]
            parameters = theta[:, used : used + len(start)]
            used += len(start)
            value = function(self.at, *parameters.T[:, :, None])
            allowed &= ~breaks_prior(value[:, -2], value[:, -1])
            combined = combined + weight[:, None] * value
        return combined, sigma, allowed

    def log_posterior(self, theta):
        combined, sigma, allowed = self.values(theta)
        z = (self.y - combined[:, :-2]) / sigma[:, None]
        terms = -0.5 * z * z - np.log(sigma)[:, None] - 0.5 * np.log(2 * np.pi)
        total = terms @ self.weights
        return np.where(allowed & ~np.isnan(total), total, -np.inf)

    def sample(self, seed):
        random = np.random.RandomState(seed)
        size = (WALKERS, len(self.start))
        begin = self.start + 1e-6 * random.standard_normal(size)
        sampler = emcee.EnsembleSampler(*size, self.log_posterior, vectorize=True)
        state = emcee.State(begin, random_state=random.get_state())
        sampler.run_mcmc(state, STEPS, skip_initial_state_check=True)
        # As in emcee 2: (walker, step), flattened walker by walker.
        chain = np.swapaxes(sampler.get_chain(), 0, 1)[:, BURN_IN:, :]
        samples = chain.reshape(-1, len(self.start))[::THIN]
        combined, sigma, _ = self.values(samples)
        return combined[:, -1], sigma, float(np.mean(sampler.acceptance_fraction))


def masked_mean(values):
    return float(np.ma.masked_invalid(values).mean())


def probability(ends, sigma, bar):
    # A walker that has not left a start without a density may have any sigma.
    return masked_mean(np.where(sigma > 0, 1.0 - ndtr((bar - ends) / sigma), np.nan))


def conservative(y, ends, sigma, bar):
    if np.max(y) > bar or not probability(ends, sigma, bar) < THRESHOLD:
        return 0
    return int(0.0 <= masked_mean(ends) <= 1.0)


def optimistic(ends, sigma, bar):
    is_certain = float(np.ma.masked_invalid(ends).std()) < CERTAIN
    if is_certain or probability(ends, sigma, bar) < THRESHOLD:
        return int(0.0 <= masked_mean(ends) <= 1.0)
    return 0


def answers(y, model, last, seed):
    ends, sigma, accepted = model.sample(seed)
    return {
        "p": [round(probability(ends, sigma, bar), 6) for bar in [*BARS, last]],
        "mean": masked_mean(ends),
        "std": float(np.ma.masked_invalid(ends).std()),
        "c": [conservative(y, ends, sigma, bar) for bar in BARS],
        "o": [optimistic(ends, sigma, bar) for bar in BARS],
        "accepted": round(accepted, 4),
    }


def entry(at):
    recorded = json.loads((HERE / "curves.json").read_text())
    curve = recorded["curves"][at]
    n = LENGTHS[at % len(LENGTHS)]
    whole = np.array(curve["correct"]) / recorded["images"]
    seen = whole[:n]
    y = cut_beginning(seen)
    model = Model(np.arange(1.0, len(y) + 1), y)
    found = {"config_id": curve["config_id"], "n": n, "kept": model.families}
    if model.families:
        found["start"] = list(model.start)
        found["seeds"] = [answers(seen, model, whole[-1], seed) for seed in (1, 2)]
    return json.dumps(found, separators=(",", ":"))


if __name__ == "__main__":
    parts = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    lines = parts.read_text().splitlines() if parts and parts.exists() else []
    with multiprocessing.Pool(2) as pool:
        for line in pool.imap(entry, range(len(lines), 100)):
            lines.append(line)
            if parts:
                parts.write_text("\n".join(lines) + "\n")
    text = '{"bars":' + json.dumps(BARS) + ',"curves":[' + ",\n".join(lines) + "]}\n"
    (HERE / "posteriors.json").write_text(text)
