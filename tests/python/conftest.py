"""Tables that the tests share."""

import csv
import json
import pathlib

import pyarrow
import pyarrow.parquet
import pytest

import curvebook

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "replay"
DIGITS = ROOT / "tables" / "digits-lenet"


def rows_of(path: pathlib.Path) -> list[dict]:
    """The lines of a CSV file."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_table(directory: pathlib.Path, manifest: dict, configs: dict, curves: dict) -> None:
    """A table as another program would write it."""
    (directory / "table.json").write_text(json.dumps(manifest))
    for name, columns in (("configs", configs), ("curves", curves)):
        pyarrow.parquet.write_table(pyarrow.table(columns), directory / f"{name}.parquet")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> curvebook.Table:
    """The table of the golden runs."""
    directory = tmp_path_factory.mktemp("tiny")
    configs, curves = rows_of(GOLDEN / "tiny/configs.csv"), rows_of(GOLDEN / "tiny/curves.csv")
    write_table(
        directory,
        json.loads((GOLDEN / "tiny/table.json").read_text()),
        {
            "config_id": [int(row["config_id"]) for row in configs],
            "x": [float(row["x"]) for row in configs],
        },
        {
            "config_id": [int(row["config_id"]) for row in curves],
            "repeat": [int(row["repeat"]) for row in curves],
            "epoch": [int(row["epoch"]) for row in curves],
            "val_accuracy": [float(row["val_accuracy"]) for row in curves],
            "seconds": [float(row["seconds"]) for row in curves],
        },
    )
    return curvebook.Table(directory)


@pytest.fixture(scope="session")
def digits() -> curvebook.Table:
    """The table that ships with the program."""
    return curvebook.Table(DIGITS)
