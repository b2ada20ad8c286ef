#!/usr/bin/env python3
"""Makes rho_lce.json: posteriors of the curve model of deephyper's LCModelStopper, by two samplers.

The model, as src/deephyper/stopper/lce/_bayesian_regression.py of deephyper states it: four
parameters of the Morgan-Mercer-Flodin curve, each normal with deviation 1 about its least-squares
fit, a noise that is exponential with mean 1, normal observations. Its own least-squares residual
drops the prediction and so returns the random start; here the fit is one: scipy's `lm` from ten
starts, of which the best without a pole at a positive epoch is taken, and the same curve with its
exponent at least 0. 24 beginnings of the curves of ../curves/curves.json.

Stored of each: the fit, and quantiles of the curve at the last epoch by NUTS (four chains of 2,500
after 1,000, from the fit), and by emcee (64 walkers, 6,000 steps, the first 2,000 left out).

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, jax 0.10.2, numpyro 0.22.0, emcee 3.1.6.
Run from anywhere: python3 make_rho_lce.py (some minutes)
"""
import json
import pathlib

import emcee
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, init_to_value
from scipy.optimize import least_squares

jax.config.update("jax_enable_x64", True)
HERE = pathlib.Path(__file__).parent
GOLDEN = json.loads((HERE.parent / "curves" / "curves.json").read_text())
EPOCHS = 30
LENGTHS = [4, 5, 6, 8, 10, 12, 15, 20]
SHARES = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98]
LEAST_SIGMA = 1e-6


def mmf(z, rho):
    power = z ** rho[3]
    return (rho[0] * rho[1] + rho[2] * power) / (rho[1] + power)


def fit(z, y):
    """The best of ten starts without a pole where z > 0, or else the best, with d at least 0."""
    draws = np.random.RandomState(0)
    best = None
    for _ in range(10):
        try:
            found = least_squares(lambda rho: mmf(z, rho) - y, draws.randn(4), method="lm")
        except ValueError:
            continue
        a, b, c, d = found.x
        if d < 0.0 and b != 0.0:
            a, b, c, d = c, 1.0 / b, a, -d
        error = np.mean(found.fun**2)
        candidate = (b <= 0.0, error, np.array([a, b, c, d]))
        if np.isfinite(error) and (best is None or candidate[:2] < best[:2]):
            best = candidate
        if best is not None and not best[0] and best[1] < 1e-8:
            break
    return best[2], float(np.sqrt(best[1]))


def model(z, y, seen, centre):
    rho = numpyro.sample("rho", dist.Normal(centre, 1.0))
    sigma = numpyro.sample("sigma", dist.Exponential(1.0))
    numpyro.sample("y", dist.Normal(mmf(z, rho), sigma + LEAST_SIGMA).mask(seen), obs=y)


def by_nuts(z, y, centre, error):
    padded = np.zeros((3, EPOCHS))
    padded[0] = 1.0
    padded[0, : len(z)], padded[1, : len(z)], padded[2, : len(z)] = z, y, 1.0
    start = init_to_value(values={"rho": jnp.array(centre), "sigma": max(error, 0.01)})
    kernel = NUTS(model, target_accept_prob=0.95, init_strategy=start)
    run = MCMC(kernel, num_warmup=1000, num_samples=2500, num_chains=4,
               chain_method="vectorized", progress_bar=False)
    run.run(jax.random.PRNGKey(1), padded[0], padded[1], padded[2] > 0, jnp.array(centre))
    rho = run.get_samples(group_by_chain=True)["rho"]
    found = np.array(jax.vmap(jax.vmap(lambda r: mmf(float(EPOCHS), r)))(rho))
    ess = float(numpyro.diagnostics.effective_sample_size(found))
    return found.ravel(), ess, float(numpyro.diagnostics.split_gelman_rubin(found))


def by_emcee(z, y, centre, error):
    def log_density(points):
        rho, log_sigma = points[:, :4], points[:, 4]
        sigma = np.exp(log_sigma)
        power = z[None, :] ** rho[:, 3:4]
        curve = (rho[:, :1] * rho[:, 1:2] + rho[:, 2:3] * power) / (rho[:, 1:2] + power)
        total = sigma + LEAST_SIGMA
        square = ((curve - y) ** 2).sum(axis=1) / total**2
        value = -0.5 * square - len(z) * np.log(total) - sigma + log_sigma
        value -= 0.5 * ((rho - centre) ** 2).sum(axis=1)
        return np.where(np.isfinite(value), value, -np.inf)

    draws = np.random.RandomState(1)
    start = np.append(centre, np.log(max(error, 0.01))) + 0.05 * draws.randn(64, 5)
    sampler = emcee.EnsembleSampler(64, 5, log_density, vectorize=True)
    sampler.random_state = draws.get_state()
    sampler.run_mcmc(start, 6000)
    chain = sampler.get_chain(discard=2000, thin=10, flat=True)
    found = mmf(float(EPOCHS), chain[:, :4].T)
    return found


if __name__ == "__main__":
    cases = []
    for at in range(24):
        curve = GOLDEN["curves"][4 * at]
        length = LENGTHS[at % len(LENGTHS)]
        z = np.arange(1.0, length + 1)
        y = np.array(curve["correct"][:length]) / GOLDEN["images"]
        with np.errstate(all="ignore"):
            centre, error = fit(z, y)
            nuts, ess, split = by_nuts(z, y, centre, error)
            ensemble = by_emcee(z, y, centre, error)
        quantiles = np.quantile(nuts, SHARES)
        shares = [float(np.mean(ensemble <= q)) for q in quantiles]
        apart = float(np.abs(np.array(shares) - SHARES).max())
        print(at, length, centre, error, "ess", int(ess), "rhat", split, "apart", apart, flush=True)
        cases.append({
            "curve": 4 * at, "length": length, "fit": centre.tolist(), "error": error,
            "nuts": quantiles.tolist(), "effective": round(ess), "split": round(split, 4),
            "emcee": [round(share, 4) for share in shares],
        })
    text = json.dumps({"shares": SHARES, "cases": cases}, separators=(",", ":"))
    (HERE / "rho_lce.json").write_text(text.replace("},{", "},\n{") + "\n")
