#!/usr/bin/env python3
"""Makes de.json: where the children lie that DEHB's differential evolution breeds.

Versions: Python 3.11, numpy 2.4, DEHB 0.1.2.
Run from anywhere: python3 make_de_golden.py
"""
import json
import pathlib
import tempfile

import numpy as np
from dehb.optimizers.de import AsyncDE

DIMENSIONS, MEMBERS, DRAWS, BINS = 5, 12, 500, 20


def case(seed):
    rng = np.random.default_rng(seed)
    genomes = rng.random((MEMBERS, DIMENSIONS)).round(6)
    target = seed % MEMBERS
    with tempfile.TemporaryDirectory() as path:
        de = AsyncDE(
            dimensions=DIMENSIONS, pop_size=MEMBERS, mutation_factor=0.5, crossover_prob=0.5,
            strategy="rand1_bin", async_strategy="immediate", seed=seed, output_path=path,
        )
    de.population = genomes
    counts = np.zeros((DIMENSIONS, BINS), dtype=int)
    for _ in range(DRAWS):
        mutant = de.mutation(current=genomes[target], best=None, alt_pop=None)
        child = de.boundary_check(de.crossover(target=genomes[target], mutant=mutant))
        for at, u in enumerate(child):
            counts[at, min(int(u * BINS), BINS - 1)] += 1
    return {"genomes": genomes.tolist(), "target": target, "counts": counts.tolist()}


out = pathlib.Path(__file__).with_name("de.json")
out.write_text(json.dumps([case(seed) for seed in range(20)]) + "\n")
