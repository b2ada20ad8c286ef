"""The commands as functions."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pyarrow
import pytest

import curvebook
from conftest import DIGITS

TWO = {"table": str(DIGITS), "goal": "top:0.02", "stopper": ["none", "etr1:tau=1"], "repeats": 10}


def test_a_replay_answers(tmp_path):
    out = tmp_path / "runs.parquet"
    done = curvebook.replay(**TWO, out=out, trace=tmp_path / "trace.parquet", threads=1)
    assert len(done.runs) == 20 and "speed-up" in str(done)
    kept = pyarrow.table(curvebook.read_runs(out))
    assert kept.equals(pyarrow.table(done.runs))
    trace = pyarrow.table(curvebook.read_trace(tmp_path / "trace.parquet"))
    assert trace.equals(pyarrow.table(done.trace))
    assert curvebook.analyze(out) == done.analysis
    assert curvebook.analyze([str(out)], baseline="etr1") != done.analysis
    again = curvebook.replay(**TWO, threads=3, no_analysis=True)
    assert again.analysis is None and again.trace is None
    assert pyarrow.table(again.runs).equals(kept)


def test_a_study_is_written(tmp_path):
    study = tmp_path / "small.toml"
    study.write_text(
        f"""
        name = "small"
        tables = ["{DIGITS}"]
        samplers = ["random"]
        stoppers = ["none", "median"]
        goals = ["top:0.05"]
        repeats = 5
        """
    )
    answers = curvebook.study(str(study), tmp_path / "out")
    assert answers == curvebook.analyze(tmp_path / "out" / "runs.parquet")
    assert (tmp_path / "out" / "report.html").is_file()


def test_methods_are_listed():
    methods = curvebook.methods()
    assert {"samplers", "schedulers", "stoppers", "endings"} == set(methods)
    assert "tpe" in [method["name"] for method in methods["samplers"]]


def test_a_doubt_is_a_warning():
    with pytest.warns(UserWarning, match="no epoch of the table reaches"):
        curvebook.replay(table=DIGITS, goal="0.99999", repeats=1)


@pytest.mark.parametrize(
    "wrong, field",
    [
        ({}, "tables"),
        ({"table": "nowhere", "goal": "0.9"}, "file"),
        (TWO | {"sampler": "rando"}, "name"),
        (TWO | {"repeats": 0}, "count"),
        (TWO | {"colour": 1}, "colour"),
        (TWO | {"workers": 1.5}, "workers"),
        (TWO | {"goal": "much"}, "goal"),
    ],
)
def test_what_is_wrong_is_named(wrong, field):
    with pytest.raises(curvebook.InputError) as caught:
        curvebook.replay(**wrong)
    assert caught.value.field == field, caught.value


def test_other_threads_go_on_meanwhile():
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.01):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.monotonic()
    curvebook.replay(**TWO | {"repeats": 2000}, threads=1, no_analysis=True)
    took = time.monotonic() - began
    stop.set()
    thread.join()
    within = [at for at in ticks if at < began + took]
    assert len(within) > min(took / 0.01 * 0.1, 10)


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_stops_a_replay(tmp_path):
    out = tmp_path / "runs.parquet"
    script = f"""
        import curvebook
        print("begins", flush=True)
        try:
            curvebook.replay(table="{DIGITS}", goal="rank:1", sampler="rf-ei", repeats=100_000,
                             out="{out}", threads=1)
        except KeyboardInterrupt:
            print("stopped", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begins\n"
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert said == "stopped\n" and process.returncode == 0
