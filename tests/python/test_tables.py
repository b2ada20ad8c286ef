"""Tables, runs and traces, and how other programs take them."""

import json
import math
import pickle

import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

import curvebook
from conftest import DIGITS, write_table


@pytest.mark.parametrize("name", ["configs", "curves"])
def test_frames_are_the_parquet_files(digits, name):
    frame = getattr(digits, name)
    expected = pyarrow.parquet.read_table(DIGITS / f"{name}.parquet")
    taken = pyarrow.table(frame)
    assert taken.column_names == expected.column_names == frame.columns
    assert len(frame) == expected.num_rows
    for column in frame.columns:
        one, other = taken[column].combine_chunks(), expected[column].combine_chunks()
        assert one.type == other.type
        # Equal by bits: NaN is none of the same otherwise.
        assert one.to_pandas().equals(other.to_pandas()), column
    assert pyarrow.schema(frame).names == frame.columns
    assert polars.DataFrame(frame).shape == (expected.num_rows, expected.num_columns)
    assert pandas.DataFrame.from_arrow(frame).shape == taken.shape


def test_a_frame_is_taken_without_a_copy(digits):
    frame = digits.curves
    addresses = [
        [chunk.buffers()[1].address for chunk in pyarrow.table(frame)["seconds"].chunks]
        for _ in range(2)
    ]
    assert addresses[0] == addresses[1]


def test_a_frame_outlives_its_table():
    taken = pyarrow.table(curvebook.Table(DIGITS).configs)
    assert taken.num_rows == len(curvebook.Table(DIGITS))


def test_what_a_table_says(digits):
    assert digits.meta == json.loads((DIGITS / "table.json").read_text())
    assert digits.metric == {"name": "val_accuracy", "goal": "maximize", "chance": 0.1}
    assert digits.epochs == 30 and digits.rows[:3] == [0, 1, 2]
    assert [parameter["name"] for parameter in digits.parameters][0] == "c1_filters"
    curves = pyarrow.parquet.read_table(DIGITS / "curves.parquet").to_pandas()
    row = curves[(curves.config_id == 17) & (curves.repeat == 0)].sort_values("epoch")
    values, seconds = digits.curve(17)
    assert values == row.val_accuracy.tolist()
    assert seconds == [round(s * 1e9) / 1e9 for s in row.seconds]
    assert digits.value(17, 30) == values[-1]
    assert digits.cost(17, 2) == pytest.approx(sum(seconds[:2]), abs=2e-9)


def test_a_configuration_is_found(digits):
    config = digits.config(40)
    assert digits.row(config) == 40
    # Frames of pandas keep whole numbers as real ones where a column has gaps.
    assert digits.row({name: float(value) for name, value in config.items()}) == 40
    assert digits.row(config | {"learning_rate": 0.00012345}) is None


def test_nan_and_null_stay_apart(tmp_path):
    manifest = {
        "format": "curvebook-table",
        "version": 1,
        "name": "gaps",
        "metric": {"name": "loss", "goal": "minimize"},
        "epochs": 3,
        "repeats": 1,
        "configs": 1,
        "space": {
            "name": "gaps",
            "parameters": [{"name": "word", "type": "categorical", "choices": ["a", "b"]}],
        },
    }
    curves = {
        "config_id": [0] * 3,
        "repeat": [0] * 3,
        "epoch": [1, 2, 3],
        "loss": pyarrow.array([2.0, None, math.nan], from_pandas=False),
        "seconds": [1.0] * 3,
    }
    write_table(tmp_path, manifest, {"config_id": [0], "word": ["b"]}, curves)
    table = curvebook.Table(tmp_path)
    assert table.config(0) == {"word": "b"}
    assert table.value(0, 1) == 2.0 and table.value(0, 2) is None
    assert math.isnan(table.value(0, 3))
    simulator = curvebook.Simulator(table)
    simulator.start({"word": "b"})
    told = [simulator.advance() for _ in range(3)]
    assert told[0] == (0, 1, 2.0, 1.0) and told[1][2] is None and math.isnan(told[2][2])
    assert simulator.best["value"] == 2.0


def test_an_error_has_five_parts(tmp_path):
    with pytest.raises(ValueError) as caught:
        curvebook.Table(tmp_path / "nowhere")
    error = caught.value
    assert isinstance(error, curvebook.InputError)
    parts = [error.file, error.field, error.value, error.rule, error.remedy]
    assert all(parts)
    assert str(error) == "{}: {} = {}: {}; {}".format(*parts)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.remedy == error.remedy


WRONG = [
    (lambda t: t.value(-1, 1), "row"),
    (lambda t: t.value(10**9, 1), "row"),
    (lambda t: t.value(0, 0), "epoch"),
    (lambda t: t.value(0, 31), "epoch"),
    (lambda t: t.value(0, 1, repeat=9), "repeat"),
    (lambda t: t.cost(0, 31), "epochs"),
    (lambda t: t.row({"kernel": 3}), "c1_filters"),
    (lambda t: t.row(t.config(0) | {"kernels": 3}), "kernels"),
    (lambda t: t.row(t.config(0) | {"kernel": 99}), "kernel"),
    (lambda t: t.row(t.config(0) | {"kernel": "x"}), "kernel"),
    (lambda t: t.row(t.config(0) | {"kernel": None}), "kernel"),
    (lambda t: t.row(t.config(0) | {"kernel": math.nan}), "kernel"),
    (lambda t: t.row(t.config(0) | {"kernel": [3]}), "kernel"),
    (lambda t: t.row("three"), "config"),
    (lambda t: curvebook.Table(DIGITS, curve_repeat=7), "repeat"),
    (lambda t: curvebook.Table(DIGITS, rows="5..2"), "rows"),
    (lambda t: curvebook.Table(DIGITS, workers=2), "workers"),
    (lambda t: curvebook.Table(DIGITS, collor="red"), "collor"),
    (lambda t: curvebook.Table(DIGITS, cost={}.keys), "cost"),
    (lambda t: curvebook.read_runs(DIGITS / "curves.parquet"), "column run"),
    (lambda t: curvebook.read_trace(DIGITS / "table.json"), "file"),
]


@pytest.mark.parametrize("at", range(len(WRONG)))
def test_what_is_wrong_is_named(digits, at):
    call, field = WRONG[at]
    with pytest.raises(curvebook.InputError) as caught:
        call(digits)
    assert caught.value.field == field, caught.value


def test_a_part_of_a_table(digits):
    part = curvebook.Table(DIGITS, rows="100..200", metric="val_loss")
    assert len(part) == 100 and part.rows[0] == 100
    assert part.metric["goal"] == "minimize"
    assert part.config(150) == digits.config(150)
    with pytest.raises(curvebook.InputError):
        part.config(99)
    again = pickle.loads(pickle.dumps(part))
    assert again.rows == part.rows and again.metric == part.metric
