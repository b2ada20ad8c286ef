"""Whether readers of years ago open what curvebook writes, and find in it what was written.

    python3 tests/readers/check.py PROGRAM

Trains a small table that holds NaN, null and text, replays it, and reads its files with each of READERS: all
must find the same rows, bit by bit, and the same counts when they filter. Each reader has its own environment
under $CURVEBOOK_READERS, else ~/.cache/curvebook-readers, which the first call makes (about 600 MB from PyPI).
Python 3.9 to 3.11 has wheels of all of them. A table given after the program is read besides.
"""
import json, math, os, pathlib, shutil, struct, subprocess, sys, tempfile, time

READERS = {
    "pyarrow": ["pyarrow==11.0.0", "numpy==1.26.4"],
    "polars": ["polars==1.0.0"],
    "duckdb": ["duckdb==0.9.0"],
    "fastparquet": ["fastparquet==2024.11.0", "cramjam==2.9.0", "fsspec==2024.10.0", "numpy==1.26.4", "pandas==2.2.3"],
}

# Learning rates up to 10^6 diverge; momentum is null where its condition does not hold.
SPACE = """
name = "readers"
summary = "What files of tables can hold"
dataset = "digits"
[[parameter]]
name = "learning_rate"
type = "float"
low = 1e-3
high = 1e6
log = true
[[parameter]]
name = "units"
type = "int"
low = 2
high = 6
[[parameter]]
name = "optimizer"
type = "categorical"
choices = ["adam", "sgd"]
[[parameter]]
name = "momentum"
type = "float"
low = 0.0
high = 0.9
condition = { name = "optimizer", in = ["sgd"] }
[model]
input = [1, 8, 8]
classes = 10
[[model.layer]]
kind = "dense"
units = "$units"
activation = "relu"
[training]
optimizer = "$optimizer"
learning_rate = "$learning_rate"
momentum = "$momentum"
batch_size = 64
epochs = 3
train_size = 200
val_size = 100
test_size = 100
"""


def plain(value):
    """A value as JSON has it: floats by their bits, widened to 64."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack(">d", value).hex()
    return [plain(v) for v in value]


# What each reader offers: the columns of a file by name, and the number of rows that a condition leaves, counted by the
# reader itself, with whatever statistics it uses. Conditions are (column, operator, value).


def pyarrow_columns(path):
    import pyarrow.parquet as parquet

    table = parquet.read_table(path)
    return {name: table[name].to_pylist() for name in table.column_names}


def pyarrow_count(path, column, operator, value):
    import pyarrow.parquet as parquet

    return parquet.read_table(path, columns=[column], filters=[(column, operator, value)]).num_rows


def polars_columns(path):
    import polars

    return {column.name: column.to_list() for column in polars.read_parquet(path)}


def polars_count(path, column, operator, value):
    import polars

    of = polars.col(column)
    condition = {">": of > value, "<": of < value, "=": of == value}[operator]
    return polars.scan_parquet(path).filter(condition).select(polars.len()).collect().item()


def duckdb_columns(path):
    import duckdb

    found = duckdb.sql(f"select * from '{path}'")
    return dict(zip(found.columns, map(list, zip(*found.fetchall()))))


def duckdb_count(path, column, operator, value):
    import duckdb

    # A number in the text would be a decimal, which is not quite the float.
    query = f"select count(*) from '{path}' where \"{column}\" {operator} ?"
    return duckdb.execute(query, [value]).fetchone()[0]


def fastparquet_columns(path):
    import fastparquet, pandas

    frame = fastparquet.ParquetFile(path).to_pandas()
    columns = {}
    for name in frame.columns:
        column = frame[name]
        # pandas has one NaN for null and NaN in columns of floats; which it was is for the others to say.
        values = column.tolist()
        if column.dtype == object or not str(column.dtype).startswith("float"):
            values = [None if v is pandas.NA or v is None else v for v in values]
        columns[name] = values
    return columns


def fastparquet_count(path, column, operator, value):
    import fastparquet, operator as compare

    # Its own filter by rows fails on integers with gaps; the one by statistics is what counts here.
    found = fastparquet.ParquetFile(path).to_pandas(
        columns=[column], filters=[(column, "==" if operator == "=" else operator, value)]
    )[column].dropna()
    return int({"<": compare.lt, ">": compare.gt, "=": compare.eq}[operator](found, value).sum())


# In whose order NaN is greater than every number. To the others no comparison with it holds.
NAN_IS_GREATEST = {"polars", "duckdb"}


def read(reader, conditions):
    """What a reader finds in the files, for `compare`."""
    found = {}
    for path, wanted in conditions.items():
        columns = globals()[f"{reader}_columns"](path)
        counts = [globals()[f"{reader}_count"](path, *condition) for condition in wanted]
        found[path] = {"columns": {name: plain(values) for name, values in columns.items()}, "counts": counts}
    return found


def conditions_of(columns):
    """Conditions about each column that holds numbers or texts, around and beyond what stands in it."""
    conditions = []
    for name, values in columns.items():
        values = numbers(values)
        values = sorted({v for v in values if v is not None and not isinstance(v, (list, bool)) and v == v})
        if not values:
            continue
        middle = values[len(values) // 2]
        if isinstance(middle, str):
            conditions += [(name, "=", v) for v in (values[0], middle, values[-1], "no such text")]
            continue
        beyond = type(middle)(max(abs(values[0]), abs(values[-1])) * 2 + 1)
        places = [values[0], middle, values[-1], beyond] + ([-beyond] if values[0] < 0 or isinstance(middle, float) else [])
        conditions += [(name, operator, place) for place in places for operator in "<>="]
    return conditions


def floats(values):
    """Whether a column of `plain` values is one of floats."""
    is_float = lambda v: v == "nan" or (isinstance(v, str) and len(v) == 16 and all(c in "0123456789abcdef" for c in v))
    return any(v is not None for v in values) and all(v is None or is_float(v) for v in values)


def numbers(values):
    """A column of `plain` values as numbers, where it is one of floats."""
    return [v if v is None else number(v) for v in values] if floats(values) else values


def number(text):
    return math.nan if text == "nan" else struct.unpack(">d", bytes.fromhex(text))[0]


def expected(values, operator, place, nan_is_greatest):
    """Rows that a condition must leave, by the values themselves."""
    count = 0
    for value in values:
        if value is None:
            continue
        if isinstance(value, float) and math.isnan(value):
            count += operator == ">" and nan_is_greatest
        else:
            count += {"<": value < place, ">": value > place, "=": value == place}[operator]
    return count


def compare(found, conditions):
    """What of the readers' findings is not as it must be."""
    wrong = []
    for path, wanted in conditions.items():
        name, right = pathlib.Path(path).name, found["pyarrow"][path]["columns"]
        for reader, of in found.items():
            columns, counts = of[path]["columns"], of[path]["counts"]
            if list(columns) != list(right):
                wrong.append(f"{reader}, {name}: columns {list(columns)}, not {list(right)}")
                continue
            for column in right:
                values = right[column]
                if reader == "fastparquet" and (floats(values) or not any(v is not None for v in values)):
                    values = ["nan" if v is None else v for v in values]
                if columns[column] != values:
                    at = next((i for i, (a, b) in enumerate(zip(columns[column], values)) if a != b), "length")
                    wrong.append(f"{reader}, {name}, {column}: other values, first in row {at}")
            values = {column: numbers(of) for column, of in right.items()}
            for (column, operator, place), count in zip(wanted, counts):
                must = expected(values[column], operator, place, reader in NAN_IS_GREATEST)
                if count != must:
                    wrong.append(f"{reader}, {name}: {count} rows with {column} {operator} {place!r}, not {must}")
    return wrong


def environment(reader):
    """The Python of a reader's environment, made anew unless it is complete."""
    home = pathlib.Path(os.environ.get("CURVEBOOK_READERS") or pathlib.Path.home() / ".cache" / "curvebook-readers")
    place = home / "-".join([reader, *(word.split("==")[1] for word in READERS[reader])])
    python = place / "bin" / "python"
    complete = place / "complete"
    if complete.exists() and subprocess.run([python, "-c", f"import {reader}"], capture_output=True).returncode == 0:
        return python
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([interpreter(), "-m", "venv", place], check=True)
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *quiet, "--only-binary", ":all:", *READERS[reader]], check=True)
    complete.touch()
    return python


def interpreter():
    """A Python that the pinned wheels were made for."""
    for name in ("python3.11", "python3.10", "python3.9", sys.executable):
        path = shutil.which(name)
        ask = "import sys, ensurepip; print(sys.version_info[:2] in [(3, 9), (3, 10), (3, 11)])"
        if path and subprocess.run([path, "-c", ask], capture_output=True, text=True).stdout == "True\n":
            return path
    sys.exit("readers: Python 3.9, 3.10 or 3.11 with venv is needed: pyarrow 11 has no wheels for others")


def write(program, home):
    """The files: a table that diverges in places, its runs and their trace."""


    def run(*words):
        ran = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
        if ran.returncode:
            sys.exit(f"readers: {' '.join(map(str, words))}:\n{ran.stderr}")

    (home / "space.toml").write_text(SPACE)
    table = home / "table"
    run("train", "--space", home / "space.toml", "--configs", 40, "--device", "cpu", "--out", table)
    runs, trace = home / "runs.parquet", home / "trace.parquet"
    goals, rules = ("--goal", "rank:1", "--goal", 2), ("--stopper", "none", "--stopper", "etr1")
    run("replay", "--table", table, *goals, *rules, "--repeats", 5, "--no-analysis", "--out", runs, "--trace", trace)
    return [table / "configs.parquet", table / "curves.parquet", runs, trace]


def main(program, *tables):
    pythons = {reader: environment(reader) for reader in READERS}
    with tempfile.TemporaryDirectory(prefix="curvebook-readers-") as home:
        home, began = pathlib.Path(home), time.monotonic()
        paths = write(program, home)
        paths += [pathlib.Path(t).resolve() / f for t in tables for f in ("configs.parquet", "curves.parquet")]

        def ask(reader, conditions):
            task = home / "conditions.json"
            task.write_text(json.dumps(conditions))
            ran = subprocess.run([pythons[reader], __file__, "--read", reader, task], capture_output=True, text=True)
            if ran.returncode:
                sys.exit(f"readers: {' '.join(READERS[reader][:1])} cannot read what curvebook writes:\n{ran.stderr[-2000:]}")
            return json.loads(ran.stdout)

        first = ask("pyarrow", {str(path): [] for path in paths})
        conditions = {path: conditions_of(of["columns"]) for path, of in first.items()}
        texts = [v for of in first.values() for values in of["columns"].values() for v in values]
        for what in ("nan", None):
            assert what in texts, f"the files hold no {what}: this check would see nothing"
        found = {reader: ask(reader, conditions) for reader in READERS}
        wrong = compare(found, conditions)
        print("\n".join(wrong[:50]), end="\n" if wrong else "")
        cells = sum(len(values) for of in first.values() for values in of["columns"].values())
        asked = sum(map(len, conditions.values()))
        names = ", ".join(READERS[reader][0] for reader in READERS)
        print(f"{names}: {len(paths)} files, {cells} cells, {asked} conditions: {len(wrong)} wrong; {time.monotonic() - began:.1f} s")
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        print(json.dumps(read(sys.argv[2], json.loads(pathlib.Path(sys.argv[3]).read_text()))))
    elif len(sys.argv) < 2:
        sys.exit(__doc__)
    else:
        main(*sys.argv[1:])
