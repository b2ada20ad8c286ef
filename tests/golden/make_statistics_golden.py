#!/usr/bin/env python3
"""Makes statistics.json: what numpy, scipy and lifelines say about small samples.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, lifelines 0.30.3, statsmodels 0.15.0.
Run from anywhere: python3 make_statistics_golden.py
"inf" stands for infinity, which JSON lacks.
"""
import json
import pathlib

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy import special, stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20180709)
INF = float("inf")


def clean(x):
    if isinstance(x, dict):
        return {k: clean(v) for k, v in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return [clean(v) for v in x]
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    x = float(x)
    assert x == x
    return "inf" if x == INF else x


def quantile():
    for n in (1, 2, 5, 10, 37):
        values = rng.lognormal(3, 2, n)
        for p in (0, 0.025, 0.1, 0.25, 0.5, 0.75, 0.975, 1):
            yield dict(values=values, p=p, quantile=np.quantile(values, p))


def bootstrap_median():
    """P(median of a resample <= x_(k)) = P(Binomial(n, k/n) >= (n + 1) / 2), n odd."""
    for n in (5, 11, 25, 51):
        values = np.sort(rng.lognormal(0, 1, n))
        cdf = np.array([stats.binom.sf((n + 1) // 2 - 1, n, k / n) for k in range(1, n + 1)])
        # Monte Carlo with 40,000 resamples errs by 0.0008 (one sigma) at 0.025.
        assert np.abs(cdf - 0.025).min() > 0.004 and np.abs(cdf - 0.975).min() > 0.004, (n, cdf)
        low, high = (values[np.searchsorted(cdf, q)] for q in (0.025, 0.975))
        yield dict(values=rng.permutation(values), low=low, high=high)


def normal():
    for z in (-8, -1.96, -0.5, 0, 0.1, 1, 1.96, 3, 6, 20, 37):
        yield dict(z=z, survival=stats.norm.sf(z))


def with_infinities(values, count):
    values = values.copy()
    values[rng.choice(len(values), count, replace=False)] = INF
    return values


def paired_samples():
    for n, infinite, shift, decimals in (
        (1, 0, 0.0, 9), (6, 0, 0.8, 9), (12, 1, 0.3, 9), (30, 2, 0.4, 9), (50, 1, 0.2, 9),
        (51, 0, 0.2, 9), (20, 6, 0.5, 9), (40, 0, 0.3, 0), (60, 15, 0.1, 1), (400, 40, 0.2, 9),
    ):
        a = np.round(rng.lognormal(1 + shift, 1, n), decimals)
        b = np.round(rng.lognormal(1, 1, n), decimals)
        yield with_infinities(a, infinite), with_infinities(b, infinite)


def sign_test():
    for a, b in paired_samples():
        above, below = int((a > b).sum()), int((a < b).sum())
        p = stats.binomtest(above, above + below, 0.5).pvalue
        yield dict(first=a, second=b, statistic=above, p_value=p)
    n = 3000
    a, b = np.zeros(n), np.where(np.arange(n) < 1700, 1.0, -1.0)
    p = stats.binomtest(1300, n, 0.5).pvalue
    yield dict(first=a, second=b, statistic=1300, p_value=p)


def wilcoxon():
    for a, b in paired_samples():
        d = np.zeros(len(a))
        differ = a != b
        d[differ] = a[differ] - b[differ]
        d = np.where(np.isinf(d), np.sign(d) * 1e6, d)  # above every finite one, equal to each other
        d = d[d != 0]
        ties = len(np.unique(np.abs(d))) < len(d)
        method = "exact" if len(d) <= 50 and not ties else "asymptotic"
        r = stats.wilcoxon(d, zero_method="wilcox", correction=method != "exact", method=method)
        yield dict(first=a, second=b, statistic=r.statistic, p_value=r.pvalue)


def unpaired_samples():
    for n, m, infinite, shift, decimals in (
        (1, 1, 0, 0, 9), (3, 5, 0, 1.5, 9), (8, 8, 0, 0.5, 9), (8, 60, 1, 0.7, 9), (9, 12, 0, 0.3, 9),
        (30, 25, 5, 0.4, 9), (40, 40, 0, 0.3, 0), (100, 70, 10, 0.5, 1), (50, 50, 0, 2.0, 9),
    ):
        a = np.round(rng.lognormal(1 + shift, 1, n), decimals)
        b = np.round(rng.lognormal(1, 1, m), decimals)
        yield with_infinities(a, infinite), with_infinities(b, infinite and 1)


def mann_whitney():
    for a, b in unpaired_samples():
        ties = len(np.unique(np.concatenate([a, b]))) < len(a) + len(b)
        method = "exact" if min(len(a), len(b)) <= 8 and not ties else "asymptotic"
        big = 1e9
        r = stats.mannwhitneyu(np.minimum(a, big), np.minimum(b, big), method=method)
        yield dict(first=a, second=b, statistic=r.statistic, p_value=r.pvalue)


def kolmogorov_smirnov():
    for a, b in unpaired_samples():
        r = stats.ks_2samp(np.minimum(a, 1e9), np.minimum(b, 1e9), method="exact")
        yield dict(first=a, second=b, statistic=r.statistic, p_value=r.pvalue)


def kolmogorov_limit():
    for x in (0.05, 0.3, 0.5, 0.8, 0.82, 0.9, 1.36, 2, 4):
        yield dict(x=x, survival=special.kolmogorov(x))


def kaplan_meier():
    for n, censored, decimals, horizon in ((8, 0.0, 9, 3), (20, 0.3, 9, 2), (60, 0.4, 1, 4), (200, 0.2, 9, 5)):
        times = np.round(rng.exponential(3, n), decimals) + 0.1
        reached = rng.random(n) >= censored
        times, reached = np.append(times, 30.0), np.append(reached, False)
        fit = KaplanMeierFitter().fit(times, reached)
        at = np.concatenate([[0], np.sort(times)[:: max(1, n // 15)], [29]])
        # Greenwood: survival^2 * sum d / (n (n - d)), kept by lifelines without the square.
        events = fit.event_table[fit.event_table.observed > 0]
        total = np.cumsum(events.observed / (events.at_risk * (events.at_risk - events.observed)))
        variance = fit.predict(events.index).to_numpy() ** 2 * total.to_numpy()
        yield dict(
            times=times, reached=reached, at=at, survival=fit.predict(at).to_numpy(),
            variance=variance, horizon=horizon,
            restricted_mean=restricted_mean_survival_time(fit, t=horizon),
            median=fit.median_survival_time_,
        )


# What follows draws from generators of its own: the cases above keep their numbers.
def bootstrap_mean():
    own = np.random.default_rng(1)
    for n in (8, 20, 60):
        values = own.lognormal(1, 1, n)
        found = stats.bootstrap(
            (values,), np.mean, n_resamples=40_000, method="percentile", rng=own,
        ).confidence_interval
        yield dict(values=values, low=found.low, high=found.high)


def normal_quantile():
    for tails in (1e-12, 0.001, 0.01, 0.05, 0.1, 0.317, 0.5, 0.999):
        yield dict(tails=tails, z=stats.norm.isf(tails / 2))


def wilson():
    for successes, n in ((0, 1), (1, 1), (0, 50), (50, 50), (37, 50), (3, 7), (123, 20_000)):
        for confidence in (0.5, 0.95, 0.99):
            found = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
            yield dict(successes=successes, n=n, confidence=confidence, low=found.low, high=found.high)


def holm():
    own = np.random.default_rng(2)
    for n in (1, 2, 3, 10, 40):
        p_values = own.random(n) ** 4
        p_values[n // 2:] = np.round(p_values[n // 2:], 2)  # with ties and a zero
        yield dict(p_values=p_values, adjusted=multipletests(p_values, method="holm")[1])


def log_rank():
    own = np.random.default_rng(3)
    # Without and with ties, with random censoring, and with all censored at one budget.
    for n, m, shift, decimals, budget in (
        (5, 7, 0.0, 9, INF), (30, 30, 0.6, 9, INF), (40, 25, 0.3, 0, INF), (50, 50, 0.5, 9, 4.0),
        (200, 150, 0.1, 1, 6.0),
    ):
        samples = []
        for size, scale in ((n, 1.0), (m, np.exp(shift))):
            times = np.round(own.exponential(4 / scale, size), decimals) + 1
            reached = times <= budget if budget < INF else own.random(size) < 0.8
            samples.append((np.minimum(times, budget), reached))
        (a, a_reached), (b, b_reached) = samples
        r = logrank_test(a, b, a_reached, b_reached)
        yield dict(first=a, first_reached=a_reached, second=b, second_reached=b_reached,
                   statistic=r.test_statistic, p_value=r.p_value)


def time_to_goal():
    """Paired runs of a baseline and a method, for the analysis as a whole.

    Everything was reached or cut at the budget (60 s), which then counts as never: the largest.
    """
    own = np.random.default_rng(4)
    budget = 60.0
    for n in (21, 49, 121):  # odd: no share is 1/2, which a product of ratios may miss
        luck = own.exponential(1, n)
        base = np.round(luck * 45 * own.lognormal(0, 0.3, n), 3) + 0.5
        method = np.round(luck * 22 * own.lognormal(0, 0.3, n), 3) + 0.5
        b, m = (np.where(t <= budget, t, INF) for t in (base, method))
        known = ~(np.isinf(b) & np.isinf(m))
        above, below = int((b > m)[known].sum()), int((b < m)[known].sum())
        d = (np.minimum(b, 1e9) - np.minimum(m, 1e9))[known]
        d = np.where(np.abs(d) > 1e8, np.sign(d) * 1e9, d)  # never against a time: one tie, largest
        d = d[d != 0]
        ties = len(np.unique(np.abs(d))) < len(d)
        method_name = "exact" if len(d) <= 50 and not ties else "asymptotic"
        w = stats.wilcoxon(d, zero_method="wilcox", correction=method_name != "exact", method=method_name)
        fits = [KaplanMeierFitter().fit(np.minimum(t, budget), t <= budget) for t in (base, method)]
        u = stats.mannwhitneyu(np.minimum(b, 1e9), np.minimum(m, 1e9), method="asymptotic")
        r = logrank_test(np.minimum(base, budget), np.minimum(method, budget), base <= budget, method <= budget)
        yield dict(
            budget=budget, baseline=base, method=method,
            wins=above, losses=below, unknown=int((~known).sum()),
            sign=stats.binomtest(above, above + below, 0.5).pvalue,
            wilcoxon=w.pvalue, wilcoxon_statistic=w.statistic,
            mann_whitney=u.pvalue, mann_whitney_statistic=u.statistic,
            log_rank=r.p_value, log_rank_statistic=r.test_statistic,
            restricted_means=[restricted_mean_survival_time(f, t=budget) for f in fits],
            medians=[f.median_survival_time_ for f in fits],
            expected=[np.minimum(t, budget).sum() / (t <= budget).sum() for t in (base, method)],
        )


def spearman():
    own = np.random.default_rng(1904)  # earlier cases keep their numbers
    pairs = []
    for n in (3, 10, 60, 500):
        a = own.lognormal(0, 2, n)
        pairs.append((a, a * own.lognormal(0, 1, n)))
        # Ties on both sides.
        pairs.append((own.permutation(np.arange(n) // 2), np.round(-a) + np.arange(n) % 2))
    a = own.normal(0, 1, 30)
    b = a + own.normal(0, 1, 30)
    a[own.choice(30, 4, replace=False)] = INF
    pairs.append((a, b))
    for a, b in pairs:
        yield dict(a=a, b=b, rho=stats.spearmanr(a, b).statistic)


functions = (quantile, bootstrap_median, normal, sign_test, wilcoxon, mann_whitney,
             kolmogorov_smirnov, kolmogorov_limit, kaplan_meier, bootstrap_mean, normal_quantile,
             wilson, holm, log_rank, time_to_goal, spearman)
golden = {f.__name__: [clean(case) for case in f()] for f in functions}
lines = ",\n".join(
    f' "{name}": [\n  ' + ",\n  ".join(json.dumps(case) for case in cases) + "\n ]"
    for name, cases in golden.items()
)
path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text("{\n" + lines + "\n}\n")
