"""Runs as TensorBoard, MLflow, Ray Tune and W&B track them, and what another reader finds in them.

    pip install tensorboard==2.21.0 tensorboardX==2.6.5 mlflow-skinny==3.17.2 "ray[tune]==2.60.0" \
        wandb==0.31.0 pandas==2.3.3
    python make_trackers_golden.py DIRECTORY_OF_RECORDED_RUNS

- `tensorboard/`: written by TensorBoard's own EventFileWriter (tensors, `train` and `validation`
  below a run with hyperparameters, as Keras has it) and by tensorboardX (simple values, hyperparameters
  below the run, as PyTorch has it); read back by TensorBoard's EventAccumulator.
- `algoperf.tfevents.gz`: mlcommons/submissions_algorithms, previous_leaderboards/algoperf_v05,
  Apache-2.0; read back by TensorBoard's EventAccumulator.
- `mlruns/`: written by MLflow's file store; read back by its client.
- `ray/`: written by Ray Tune, without its pickles and what it says of the machine; read back by
  pandas (`progress.csv`, where the program reads `result.json`).
- `wandb/`: written by W&B's client, offline; read back by its own messages.
- `wandb_history/`: the same rows as `run.history()` and `run.scan_history()` give them, a file a run.

Expected is, per run, the value and the seconds at every epoch, "nan" where it is NaN.
"""

import datetime
import gzip
import json
import math
import os
import pathlib
import shutil
import struct
import sys
import tempfile
import time
import zlib

HERE = pathlib.Path(__file__).parent
SOURCE = pathlib.Path(sys.argv[1])


def value(number):
    return number if math.isfinite(number) else "nan"


def curve(points, start, status="ok", values=None):
    """Points: step, moment, value, sorted by step."""
    clock, seconds = start, []
    for _, at, _ in points:
        seconds.append(at - clock)
        clock = at
    return {
        "curve": [value(v) for _, _, v in points],
        "seconds": seconds,
        "status": status,
        "values": values or {},
    }


def fresh(name):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def tensorboard_files():
    import tensorboardX
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import summary_v2 as hparams
    from tensorboard.plugins.scalar.metadata import create_summary_metadata
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    root = fresh("tensorboard")

    def rename(directory, at):
        """Without the name of the machine and of the process; and when the file began."""
        for number, path in enumerate(sorted(directory.glob("events*"))):
            path.rename(directory / f"events.out.tfevents.{at + number}.host")

    def keras(name, rate, units, steps):
        at = time.time() + 0.5
        for part, tag_offset in (("", None), ("train", 0.1), ("validation", 0.0)):
            directory = root / name / part
            writer = EventFileWriter(str(directory))
            if tag_offset is None:
                summary = hparams.hparams_pb({"lr": rate, "units": units, "flip": True}, name)
                writer.add_event(Event(wall_time=at, step=0, summary=Summary.FromString(
                    summary.SerializeToString())))
            else:
                for step in range(steps):
                    score = 1.0 - rate / (step + 1) - units / 1000.0 - tag_offset
                    tensor = make_tensor_proto(score, dtype="float32")
                    metadata = create_summary_metadata("", "")
                    item = Summary.Value(tag="epoch_accuracy", tensor=tensor, metadata=metadata)
                    event = Event(wall_time=at + 2.5 * step + 1.25, step=step,
                                  summary=Summary(value=[item]))
                    writer.add_event(event)
            writer.close()
            rename(directory, 1_700_000_000)

    def torch(name, rate, units, steps):
        writer = tensorboardX.SummaryWriter(str(root / name), write_to_disk=True)
        at = time.time()
        for step in range(steps):
            score = 1.0 - rate / (step + 1) - units / 1000.0
            writer.add_scalar("validation/epoch_accuracy", score, step, walltime=at + step + 1)
            writer.add_scalar("lr", rate, step, walltime=at + step + 1)
        writer.add_hparams({"lr": rate, "units": units, "flip": False},
                           {"hparam/accuracy": score}, name="hparams")
        writer.close()
        rename(root / name, 1_700_000_000)
        rename(root / name / "hparams", 1_700_000_000)

    keras("keras-a", 0.1, 32, 4)
    keras("keras-b", 0.01, 64, 4)
    torch("torch-a", 0.05, 48, 4)
    torch("torch-b", 0.02, 16, 3)


def points_of(directory, tag):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    events = EventAccumulator(str(directory), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    if tag in events.Tags()["scalars"]:
        points = [(e.step, e.wall_time, e.value) for e in events.Scalars(tag)]
    else:
        from tensorboard.util.tensor_util import make_ndarray
        points = [(e.step, e.wall_time, float(make_ndarray(e.tensor_proto)))
                  for e in events.Tensors(tag)]
    path = directory if directory.is_file() else next(directory.glob("events*"))
    start = next(iter(LegacyEventFileLoader(str(path)).Load())).wall_time
    return points, start


def tensorboard():
    tensorboard_files()
    root, expected = HERE / "tensorboard", {}
    for name, rate, units in (("keras-a", 0.1, 32), ("keras-b", 0.01, 64)):
        points, _ = points_of(root / name / "validation", "epoch_accuracy")
        starts = [points_of(root / name / part, "epoch_accuracy")[1]
                  for part in ("train", "validation")]
        first = next(iter_start(root / name))
        settings = {"lr": rate, "units": units, "flip": "true"}
        expected[name] = curve(points, min(*starts, first), values=settings)
    for name, rate, units, status in (("torch-a", 0.05, 48, "ok"), ("torch-b", 0.02, 16, "truncated")):
        points, start = points_of(root / name, "validation/epoch_accuracy")
        settings = {"lr": rate, "units": units, "flip": "false"}
        expected[name] = curve(points, start, status, settings)
    return expected


def iter_start(directory):
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    path = next(directory.glob("events*"))
    yield next(iter(LegacyEventFileLoader(str(path)).Load())).wall_time


def algoperf():
    packed = SOURCE / "algoperf_tensorboard.tfevents.gz"
    shutil.copyfile(packed, HERE / "algoperf.tfevents.gz")
    os.chmod(HERE / "algoperf.tfevents.gz", 0o644)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "events.out.tfevents.1.host"
        path.write_bytes(gzip.decompress(packed.read_bytes()))
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        events = EventAccumulator(directory, size_guidance={"scalars": 0, "tensors": 0})
        events.Reload()
        print("algoperf:", events.Tags()["scalars"], events.Tags()["tensors"])
        points, start = points_of(path, "validation/ssim")
    return {"algoperf.tfevents.gz": curve(points, start, values={"configuration": 0})}


def mlflow():
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "1"
    import mlflow as flow

    root = fresh("mlruns")
    shutil.rmtree(root)
    flow.set_tracking_uri(root.as_uri())
    flow.set_experiment("golden")
    expected = {}
    client = flow.tracking.MlflowClient(tracking_uri=root.as_uri())
    for number, (rate, kind) in enumerate(((0.1, "adam"), (0.01, "sgd"), (0.03, "adam"), (0.3, "sgd"))):
        try:
            with flow.start_run(run_name=f"run {number}") as run:
                flow.log_params({"lr": rate, "optimizer/kind": kind, "note": "a 'quoted' text"})
                for step in range(5):
                    time.sleep(0.01)
                    flow.log_metric("val/acc", 1.0 - rate / (step + 1), step=step * 100)
                    flow.log_metric("loss", float("nan") if number == 1 else rate, step=step * 100)
                    if number == 3 and step == 2:
                        raise ValueError("crashed")
        except ValueError:
            pass
        run = client.get_run(run.info.run_id)
        history = client.get_metric_history(run.info.run_id, "val/acc")
        points = [(m.step, m.timestamp / 1000.0, m.value) for m in history]
        settings = {"lr": float(run.data.params["lr"]), "optimizer/kind": run.data.params["optimizer/kind"]}
        status = "failed" if run.info.status == "FAILED" else "ok"
        expected[run.info.run_id] = curve(points, run.info.start_time / 1000.0, status, settings)
    gone = flow.start_run(run_name="deleted")
    flow.log_metric("val/acc", 0.0, step=0)
    flow.end_run()
    flow.delete_run(gone.info.run_id)
    for path in root.rglob("meta.yaml"):
        text = path.read_text().replace(HERE.as_uri(), "file:///golden")
        path.write_text(text.replace("user_id: root", "user_id: user"))
    for path in root.rglob("tags"):
        shutil.rmtree(path)
    return expected


def ray():
    from ray import tune

    def train(config):
        for step in range(4):
            time.sleep(0.02)
            if config["lr"] == 0.4 and step == 2:
                raise ValueError("crashed")
            tune.report({"acc": 1.0 - config["lr"] / (step + 1), "val": {"loss": config["lr"]}})

    root = fresh("ray")
    with tempfile.TemporaryDirectory() as directory:
        space = {"lr": tune.grid_search([0.1, 0.2, 0.4]), "model": {"units": tune.choice([8, 16, 32])}}
        tune.Tuner(
            train,
            param_space=space,
            run_config=tune.RunConfig(name="golden", storage_path=directory),
            tune_config=tune.TuneConfig(max_concurrent_trials=1),
        ).fit()
        trials = sorted(p for p in (pathlib.Path(directory) / "golden").iterdir() if p.is_dir())
        for number, trial in enumerate(trials):
            target = root / f"trial_{number}"
            target.mkdir()
            for name in ("result.json", "progress.csv", "params.json", "error.txt"):
                if (trial / name).exists():
                    shutil.copyfile(trial / name, target / name)
    return ray_expected(root)


def ray_expected(root):
    import pandas as pd

    expected = {}
    for target in sorted(root.iterdir()):
        rows = [json.loads(line) for line in (target / "result.json").read_text().splitlines()]
        for row in rows:
            row.update(hostname="host", node_ip="192.0.2.1", pid=1)
        (target / "result.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
        table = pd.read_csv(target / "progress.csv", float_precision="round_trip")
        table = table.assign(hostname="host", node_ip="192.0.2.1", pid=1)
        table.to_csv(target / "progress.csv", index=False)
        if (target / "error.txt").exists():
            (target / "error.txt").write_text("ValueError: crashed\n")
        settings = json.loads((target / "params.json").read_text())
        expected[target.name] = {
            "curve": table["acc"].tolist(),
            "seconds": table["time_this_iter_s"].tolist(),
            "status": "failed" if (target / "error.txt").exists() else "ok",
            "values": {"lr": settings["lr"], "model/units": settings["model"]["units"]},
        }
    return expected


def wandb_rows(path):
    """A log's settings and rows, by W&B's own messages; the framing is LevelDB's."""
    from wandb.proto import wandb_internal_pb2 as proto

    data, at, record = path.read_bytes(), 7, b""
    name, settings, rows = None, {}, []
    while at < len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        crc, length, kind = struct.unpack("<IHB", data[at:at + 7])
        body = data[at + 7:at + 7 + length]
        assert zlib.crc32(bytes([kind]) + body) == crc
        record = body if kind in (1, 2) else record + body
        at += 7 + length
        if kind not in (1, 4):
            continue
        message = proto.Record.FromString(record)
        if message.WhichOneof("record_type") == "run":
            name = message.run.run_id
            settings = {i.key: json.loads(i.value_json) for i in message.run.config.update
                        if i.key != "_wandb"}
        if message.WhichOneof("record_type") == "history":
            rows.append({".".join(i.nested_key) or i.key: json.loads(i.value_json)
                         for i in message.history.item})
    return name, settings, rows


def wandb():
    import pandas as pd
    import wandb as client

    root, exports = fresh("wandb"), fresh("wandb_history")
    with tempfile.TemporaryDirectory() as directory:
        for number, (rate, kind) in enumerate(((0.1, "adam"), (0.01, "sgd"), (0.03, "adam"))):
            options = client.Settings(
                x_disable_stats=True, x_disable_meta=True, x_disable_machine_info=True,
                disable_git=True, save_code=False, console="off", host="host", silent=True,
            )
            run = client.init(
                project="golden", id=f"run{number}", mode="offline", dir=directory,
                config={"lr": rate, "optimizer": {"kind": kind}}, settings=options,
            )
            for step in range(5):
                time.sleep(0.01)
                run.log({"train_loss": rate / (step + 1)})
                score = float("nan") if number == 1 and step > 2 else 1.0 - rate / (step + 1)
                run.log({"val": {"acc": score}, "epoch": step})
            # A record that is longer than a block of the log.
            if number == 0:
                run.log({"text": "x" * 40000})
            run.finish()
        time.sleep(3)
        for path in sorted(pathlib.Path(directory).rglob("*.wandb")):
            shutil.copyfile(path, root / path.name)
    expected = {}
    for path in sorted(root.iterdir()):
        name, settings, rows = wandb_rows(path)
        points = [(r["_step"], r["_runtime"], r["val.acc"]) for r in rows if "val.acc" in r]
        settings = {"lr": settings["lr"], "optimizer.kind": settings["optimizer"]["kind"]}
        status = "diverged" if any(value(v) == "nan" for _, _, v in points) else "ok"
        expected[name] = curve(points, 0.0, status, settings)
        frame = pd.DataFrame([r for r in rows if "text" not in r])
        for setting, said in settings.items():
            frame[f"config.{setting}"] = said
        if status == "ok":
            frame.to_csv(exports / f"{name}.csv", index=False)
            continue
        # A CSV of pandas does not tell NaN from nothing; rows of scan_history do.
        with open(exports / f"{name}.jsonl", "w") as lines:
            for row in rows:
                if "text" not in row:
                    row["config"] = settings
                    lines.write(json.dumps(row) + "\n")
    for path in sorted(root.iterdir()):
        assert b"/tmp/" not in path.read_bytes(), path
    return expected


if __name__ == "__main__":
    which = sys.argv[2:] or ["tensorboard", "algoperf.tfevents.gz", "mlruns", "ray", "wandb"]
    makers = {
        "tensorboard": tensorboard,
        "algoperf.tfevents.gz": algoperf,
        "mlruns": mlflow,
        "ray": ray,
        "wandb": wandb,
    }
    path = HERE / "expected_trackers.json"
    golden = json.loads(path.read_text()) if path.exists() else {}
    golden.update({name: makers[name]() for name in which})
    path.write_text(json.dumps(golden, indent=1) + "\n")
