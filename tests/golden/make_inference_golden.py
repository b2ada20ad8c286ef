#!/usr/bin/env python3
"""Makes inference.json: bands, bootstraps, rank tests, profiles and tuning curves by others.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, lifelines 0.30.3, statsmodels 0.15.0,
rliable 1.2.0 (arch 7.2.0), opda 0.8.0, scikit-posthocs 0.17.1.
Run from anywhere: python3 make_inference_golden.py (two minutes alone on a core)
"inf" and "-inf" stand for infinities, which JSON lacks.
"""
import json
import pathlib

import numpy as np
import scikit_posthocs
from lifelines import KaplanMeierFitter
from lifelines.statistics import pairwise_logrank_test
from lifelines.utils import qth_survival_times
from opda.nonparametric import EmpiricalDistribution
from rliable import library, metrics
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower

INF = float("inf")


def clean(x):
    if isinstance(x, dict):
        return {k: clean(v) for k, v in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return [clean(v) for v in x]
    if isinstance(x, str):
        return x
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    x = float(x)
    assert x == x
    return {INF: "inf", -INF: "-inf"}.get(x, x)


def incomplete_beta():
    for a, b in ((0.5, 0.5), (1, 1), (1, 300), (3, 7.5), (40, 2), (600, 600), (2.5e5, 2.5e5),
                 (1.2e5, 3.8e5), (10, 5e5)):
        law = stats.beta(a, b)
        spread = law.std()
        for z in (-4, -1, 0.1, 3):
            x = law.mean() + z * spread
            if 0 < x < 1:
                yield dict(a=a, b=b, x=x, below=law.cdf(x), above=law.sf(x))


def order_bootstrap():
    """P(A <= a) = P(Binomial(n, a/n) >= j), the values being their own ranks."""
    for n, p in ((101, 0.5), (1001, 0.25), (10001, 0.5), (20001, 0.95), (500001, 0.5)):
        j = round(p * (n - 1)) + 1
        for confidence in (0.9, 0.95):
            cdf = stats.binom.sf(j - 1, n, np.arange(1, n + 1) / n)
            ends = [1 + np.searchsorted(cdf, q) for q in ((1 - confidence) / 2, (1 + confidence) / 2)]
            yield dict(n=n, p=p, confidence=confidence, low=ends[0], high=ends[1])


def mean_law():
    """The mean of n exponential numbers is gamma(n) / n."""
    for n in (400, 1000, 10_000):
        low, high = stats.gamma(n).ppf([0.025, 0.975]) / n
        yield dict(n=n, low=low, high=high)


def kaplan_meier_band():
    own = np.random.default_rng(10)
    for n, censored, decimals, confidence in (
        (9, 0.0, 9, 0.95), (23, 0.3, 9, 0.9), (61, 0.4, 1, 0.95), (201, 0.2, 9, 0.99),
    ):
        times = np.round(own.exponential(3, n), decimals) + 0.1
        reached = own.random(n) >= censored
        times, reached = np.append(times, 50.0), np.append(reached, False)
        fit = KaplanMeierFitter().fit(times, reached, alpha=1 - confidence)
        band = fit.confidence_interval_
        at = fit.event_table.index[fit.event_table.observed > 0]
        low, high = (band.loc[at].iloc[:, i].to_numpy() for i in (0, 1))
        quantiles = []
        for p in (0.25, 0.5, 0.75, 0.9):
            ends = [qth_survival_times(1 - p, band.iloc[:, i]) for i in (0, 1)]
            quantiles.append(dict(p=p, time=fit.percentile(1 - p), low=ends[0], high=ends[1]))
        yield dict(times=times, reached=reached, confidence=confidence, low=low, high=high,
                   quantiles=quantiles)


def bca():
    own = np.random.default_rng(11)
    for kind, n, m, confidence in (("mean", 12, 0, 0.95), ("mean", 30, 0, 0.9),
                                   ("ratio", 20, 20, 0.95), ("difference", 15, 22, 0.95)):
        a, b = own.lognormal(1, 1, n), own.lognormal(1, 0.7, m)
        if kind == "mean":
            data, statistic, paired = (a,), (lambda x, axis=-1: np.mean(x, axis=axis)), False
        elif kind == "ratio":
            data, paired = (a, b), True
            statistic = lambda x, y, axis=-1: np.mean(x, axis=axis) / np.mean(y, axis=axis)
        else:
            data, paired = (a, b), False
            statistic = lambda x, y, axis=-1: np.mean(x, axis=axis) - np.mean(y, axis=axis)
        found = stats.bootstrap(data, statistic, n_resamples=299, method="BCa", paired=paired,
                                confidence_level=confidence, rng=own, vectorized=True)
        ends = found.confidence_interval
        yield dict(kind=kind, first=a, second=b, confidence=confidence, estimate=statistic(*data),
                   drawn=found.bootstrap_distribution, low=ends.low, high=ends.high)


def stratified_iqm():
    own = np.random.default_rng(12)
    for runs, tables in ((10, 3), (25, 6)):
        scores = own.lognormal(np.arange(tables), 0.5, (runs, tables))
        np.random.seed(1)  # rliable draws from numpy's own generator
        estimate, ends = library.get_interval_estimates(
            {"a": scores}, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=50_000)
        yield dict(tables=scores.T, estimate=estimate["a"][0], low=ends["a"][0, 0],
                   high=ends["a"][1, 0])


def stratified_improvement():
    own = np.random.default_rng(13)
    for runs, others, tables in ((12, 9, 3), (20, 20, 5)):
        method = np.round(own.lognormal(0, 1, (runs, tables)), 1)
        baseline = np.round(own.lognormal(0.4, 1, (others, tables)), 1)
        np.random.seed(2)
        # rliable counts larger scores; sooner is a smaller time.
        estimate, ends = library.get_interval_estimates(
            {"a": [baseline, method]},
            lambda b, m: np.array([metrics.probability_of_improvement(b, m)]), reps=10_000)
        yield dict(method=method.T, baseline=baseline.T, estimate=estimate["a"][0],
                   low=ends["a"][0, 0], high=ends["a"][1, 0])


def pairwise_log_rank():
    own = np.random.default_rng(14)
    for methods, n, decimals in ((3, 20, 9), (4, 40, 0)):
        groups = np.repeat(np.arange(methods), n)
        times = np.round(own.exponential(4 + groups), decimals) + 1
        reached = own.random(len(times)) < 0.8
        p_values = pairwise_logrank_test(times, groups, reached).p_value
        yield dict(
            samples=[dict(times=times[groups == g], reached=reached[groups == g]) for g in range(methods)],
            p_values=p_values, adjusted=multipletests(p_values, method="holm")[1])


def friedman():
    own = np.random.default_rng(15)
    for blocks, methods, decimals, infinite in ((6, 3, 9, 0), (8, 4, 0, 0), (12, 5, 9, 6), (40, 8, 1, 9)):
        times = np.round(own.lognormal(0.15 * np.arange(methods), 0.6, (blocks, methods)) * 3, decimals)
        flat = times.ravel()
        flat[own.choice(flat.size, infinite, replace=False)] = INF
        seen = np.minimum(times, 1e9)  # infinity is the largest and ties with itself
        r = stats.friedmanchisquare(*seen.T)
        k, n = methods, blocks
        f = (n - 1) * r.statistic / (n * (k - 1) - r.statistic)
        yield dict(times=times, mean_ranks=stats.rankdata(seen, axis=1).mean(axis=0),
                   chi_squared=r.statistic, p_value=r.pvalue, f=f,
                   f_p_value=stats.f.sf(f, k - 1, (k - 1) * (n - 1)),
                   nemenyi=scikit_posthocs.posthoc_nemenyi_friedman(seen).to_numpy())


def chi_squared():
    for degrees in (1, 2, 3, 7, 20, 39):
        for x in (0.01, 0.9, 4, 25, 90):
            yield dict(degrees=degrees, x=x, survival=stats.chi2.sf(x, degrees))


def studentized_range():
    law = stats.studentized_range
    for methods in (2, 3, 5, 10, 20, 50):
        for q in (0.3, 1.5, 3, 4.2, 6):
            yield dict(methods=methods, q=q, survival=law.sf(q, methods, np.inf),
                       quantile=law.ppf(0.95, methods, np.inf))


def performance_profile():
    own = np.random.default_rng(16)
    for methods, problems, infinite in ((2, 1, 0), (3, 8, 4), (5, 20, 30)):
        times = np.round(own.lognormal(2, 0.8, (methods, problems)), 2)
        times.ravel()[own.choice(times.size, infinite, replace=False)] = INF
        best = times.min(axis=0)
        with np.errstate(invalid="ignore"):
            ratios = np.where(np.isinf(best), INF, times / best)
        taus = np.array([1, 1.1, 1.5, 2, 3, 4, 10, 1000])
        grid = np.linspace(1, 4, 300_001)
        shares = [(r[:, None] <= grid).mean(axis=0) for r in ratios]
        yield dict(times=times, taus=taus, shares=[(r[:, None] <= taus).mean(axis=0) for r in ratios],
                   tau_max=4, scores=[np.trapezoid(s, grid) / 3 for s in shares])


def tuning_curve():
    own = np.random.default_rng(17)
    for n, decimals in ((1, 9), (7, 9), (48, 1)):
        values = np.round(own.beta(5, 2, n), decimals)
        law = EmpiricalDistribution(values)
        for minimize in (False, True):
            trials = np.array([1, 2, 3, 5, 7, 20, 48])
            inside = trials[trials <= n]
            yield dict(
                values=values, minimize=minimize, trials=trials,
                average=law.average_tuning_curve(trials, minimize=minimize),
                median=law.quantile_tuning_curve(trials, minimize=minimize),
                upper=law.quantile_tuning_curve(trials, q=0.9, minimize=minimize),
                inside=inside, unbiased=law.u_tuning_curve(inside, minimize=minimize))


def tuning_band():
    own = np.random.default_rng(18)
    for n in (5, 48):
        values = np.round(own.beta(5, 2, n), 3)
        for method in ("dkw", "ks", "ld_equal_tailed", "ld_highest_density"):
            for minimize in (False, True):
                low, _, high = EmpiricalDistribution.confidence_bands(
                    values, 0.8, a=0.0, b=1.0, method=method, generator=np.random.default_rng(1))
                trials = np.array([1, 2, 4, 9, 30, 100])
                # The upper band of the distribution is the lower one of the curve.
                at = np.sort(values)
                yield dict(
                    values=values, method=method, confidence=0.8, minimize=minimize, trials=trials,
                    cdf_low=low.cdf(at), cdf_high=high.cdf(at),
                    low=high.quantile_tuning_curve(trials, minimize=minimize),
                    high=low.quantile_tuning_curve(trials, minimize=minimize))


def kolmogorov_exact():
    for n in (1, 5, 40, 300):
        for confidence in (0.5, 0.8, 0.95):
            yield dict(n=n, confidence=confidence, distance=stats.kstwo(n).ppf(confidence))


def power():
    for spread in (0.2, 0.5, 1.0):
        for ratio in (1.1, 1.25, 1.5, 2.0):
            effect = np.log(ratio) / spread
            one = lambda p: TTestPower().solve_power(effect, alpha=0.05, power=p)
            two = lambda p: TTestIndPower().solve_power(effect, alpha=0.05, power=p)
            if effect < 1.5:
                yield dict(spread=spread, ratio=ratio, paired=one(0.8), unpaired=two(0.8),
                           paired_more=one(0.95), unpaired_more=two(0.95))


functions = (incomplete_beta, order_bootstrap, mean_law, kaplan_meier_band, bca, stratified_iqm,
             stratified_improvement, pairwise_log_rank, friedman, chi_squared, studentized_range,
             performance_profile, tuning_curve, tuning_band, kolmogorov_exact, power)

if __name__ == "__main__":
    golden = {f.__name__: [clean(case) for case in f()] for f in functions}
    lines = ",\n".join(
        f' "{name}": [\n  ' + ",\n  ".join(json.dumps(case) for case in cases) + "\n ]"
        for name, cases in golden.items()
    )
    path = pathlib.Path(__file__).with_name("inference.json")
    path.write_text("{\n" + lines + "\n}\n")
