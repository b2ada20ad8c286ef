"""curvebook's ASHA under a plain loop: a made-up training, and nothing of a table."""

import math

import curvebook

SPACE = [
    {"name": "rate", "type": "float", "low": 1e-4, "high": 1.0, "log": True},
    {"name": "width", "type": "int", "low": 8, "high": 256},
]
EPOCHS = 27


def accuracy(config: dict, epoch: int) -> float:
    """What a training would measure: the right rate learns soonest."""
    distance = abs(math.log10(config["rate"]) + 2)
    return (1 - math.exp(-epoch / (3 + 4 * distance))) * (0.9 - 0.1 * distance)


def main() -> None:
    asha = curvebook.Optimizer(
        SPACE, sampler="tpe", scheduler="asha:eta=3", epochs=EPOCHS, max_trials=81, seed=3
    )
    best, trained = (0.0, {}), 0
    while (trial := asha.ask()) is not None:
        config, answer = asha.config(trial), "go"
        while answer == "go":
            value = accuracy(config, asha.epochs(trial) + 1)
            answer = asha.tell(trial, value)
            best, trained = max(best, (value, config), key=lambda pair: pair[0]), trained + 1
    print(f"{len(asha)} trials and {trained} of {len(asha) * EPOCHS} epochs: {best}")


if __name__ == "__main__":
    main()
