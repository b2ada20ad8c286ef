#!/usr/bin/env python3
"""Makes pso.json: places and velocities of a swarm of pyswarms, and the numbers it drew.

Versions: Python 3.11, numpy 2.4, pyswarms 1.3.0.
Run from anywhere: python3 make_pso_golden.py
"""
import json
import math
import pathlib
from unittest import mock

import numpy as np
from pyswarms.backend.handlers import BoundaryHandler, VelocityHandler
from pyswarms.backend.operators import compute_pbest, compute_position, compute_velocity
from pyswarms.backend.swarms import Swarm
from pyswarms.backend.topology import Star

PARTICLES, DIMENSIONS, GENERATIONS = 8, 4, 30
LN2 = math.log(2)
SETS = [(0.72984, 1.49618), (0.5 / LN2, 0.5 + LN2)]


def loss(places):
    return ((places - 0.3) ** 2).sum(axis=1)


def case(seed, inertia, attraction):
    rng = np.random.default_rng(seed)
    places = rng.random((PARTICLES, DIMENSIONS)).round(6)
    velocities = (rng.random((PARTICLES, DIMENSIONS)) - 0.5).round(6)
    options = {"w": inertia, "c1": attraction, "c2": attraction}
    swarm = Swarm(position=places.copy(), velocity=velocities.copy(), options=options)
    swarm.pbest_cost = np.full(PARTICLES, np.inf)
    star, handler = Star(), VelocityHandler(strategy="unmodified")
    borders = BoundaryHandler(strategy="nearest")
    generations = []
    for _ in range(GENERATIONS):
        swarm.current_cost = loss(swarm.position)
        swarm.pbest_pos, swarm.pbest_cost = compute_pbest(swarm)
        swarm.best_pos, swarm.best_cost = star.compute_gbest(swarm)
        drawn = []

        def uniform(low, high, size):
            drawn.append(rng.random(size).round(6))
            return drawn[-1]

        with mock.patch("numpy.random.uniform", uniform):
            swarm.velocity = compute_velocity(swarm, None, handler, None)
        swarm.position = compute_position(swarm, None, borders)
        generations.append({
            "own": drawn[0].tolist(), "common": drawn[1].tolist(),
            "velocities": swarm.velocity.tolist(), "places": swarm.position.tolist(),
        })
    return {"places": places.tolist(), "velocities": velocities.tolist(),
            "generations": generations}


found = [case(seed, *weights) for seed, weights in enumerate(SETS)]
out = pathlib.Path(__file__).with_name("pso.json")
out.write_text(json.dumps(found) + "\n")
