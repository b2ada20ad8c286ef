"""Tables in the layout of a curvebook table that other programs write.

pandas 3.1.1, pyarrow 26.0.1, polars 2.1.0, duckdb 2.0.0, Python 3.11.
Run in this directory: python make_foreign_tables.py
"""

import json
import math
import pathlib

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent


def manifest(directory, metric, epochs, repeats, configs, parameters):
    directory.mkdir(exist_ok=True)
    text = {
        "format": "curvebook-table", "version": 1, "name": directory.name, "metric": metric,
        "epochs": epochs, "repeats": repeats, "configs": configs,
        "space": {"name": "foreign", "parameters": parameters},
        "made_by": "another program",
    }
    (directory / "table.json").write_text(json.dumps(text, indent=1) + "\n")


def loss(config, epoch):
    return math.nan if config == 2 and epoch >= 3 else 2.0 / (config + epoch)


def pandas_loss():
    """Loss to minimise in 32 bits, NaN inside, a conditional int (a float column in pandas),
    64-bit ids, dictionary-encoded words, several row groups, snappy, no status."""
    directory = HERE / "pandas-loss-f32"
    manifest(directory, {"name": "val_loss", "goal": "minimize", "chance": None}, 4, 1, 5, [
        {"name": "depth", "type": "int", "low": 1, "high": 9},
        {"name": "kind", "type": "categorical", "choices": ["tree", "linear"]},
        {"name": "leaves", "type": "int", "low": 2, "high": 64, "log": True,
         "condition": {"name": "kind", "in": ["tree"]}},
        {"name": "rate", "type": "float", "low": 0.1, "high": 0.7},
    ])
    configs = pandas.DataFrame({
        "rate": pandas.Series([0.1, 0.2, 0.3, 0.5, 0.7], dtype="float32"),
        "config_id": [4, 3, 2, 1, 0],
        "depth": pandas.Series([1, 2, 3, 4, 9], dtype="int8"),
        "leaves": [2, None, 64, None, 8],
        "kind": pandas.Categorical(["tree", "linear", "tree", "linear", "tree"]),
    })
    configs.to_parquet(directory / "configs.parquet", compression="snappy")
    rows = [(c, 0, e) for c in range(5) for e in range(1, 5)]
    curves = pandas.DataFrame(rows, columns=["config_id", "repeat", "epoch"])
    curves["val_loss"] = pandas.Series([loss(c, e) for c, _, e in rows], dtype="float32")
    curves["seconds"] = pandas.Series([0.5 + c for c, _, _ in rows], dtype="float32")
    # Arrow's own NaN, not the null that pandas would write.
    table = pyarrow.Table.from_pandas(curves, preserve_index=False)
    at = table.schema.get_field_index("val_loss")
    table = table.set_column(at, "val_loss", pyarrow.array(curves["val_loss"].to_numpy(), from_pandas=False))
    pyarrow.parquet.write_table(table, directory / "curves.parquet", row_group_size=7)


def polars_error():
    """Error rate to minimise in 64 bits, a curve that ends early, two repeats, zstd."""
    directory = HERE / "polars-error"
    manifest(directory, {"name": "error", "goal": "minimize"}, 3, 2, 3, [
        {"name": "width", "type": "int", "low": 1, "high": 8},
        {"name": "act", "type": "categorical", "choices": ["relu", "tanh"]},
    ])
    polars.DataFrame({
        "config_id": polars.Series([0, 1, 2], dtype=polars.UInt16),
        "act": polars.Series(["relu", "tanh", "relu"], dtype=polars.Categorical),
        "width": polars.Series([1, 8, 3], dtype=polars.UInt64),
    }).write_parquet(directory / "configs.parquet")
    rows = [(0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 1, 1), (1, 0, 1), (1, 0, 2), (2, 0, 1), (2, 0, 2), (2, 0, 3)]
    polars.DataFrame({
        "config_id": [c for c, _, _ in rows],
        "repeat": [r for _, r, _ in rows],
        "epoch": [e for _, _, e in rows],
        "seconds": [1.5] * len(rows),
        "error": [None if (c, e) == (2, 3) else 1 / (1 + c + r + e) for c, r, e in rows],
    }).write_parquet(directory / "curves.parquet")


def duckdb_accuracy():
    """Accuracy to maximise; DuckDB makes decimals and 32-bit ints of its literals."""
    directory = HERE / "duckdb-accuracy"
    manifest(directory, {"name": "acc", "goal": "maximize", "chance": 0.5}, 2, 1, 2, [
        {"name": "x", "type": "float", "low": 0, "high": 1},
    ])
    duckdb.sql("SELECT * FROM (VALUES (0, 0.25), (1, 0.75)) t(config_id, x)").write_parquet(
        str(directory / "configs.parquet"))
    duckdb.sql(
        "SELECT * FROM (VALUES (0,0,1,0.5,2), (0,0,2,0.625,2), (1,0,1,0.75,3), (1,0,2,0.875,3))"
        " t(config_id, repeat, epoch, acc, seconds)").write_parquet(str(directory / "curves.parquet"))


pandas_loss()
polars_error()
duckdb_accuracy()
