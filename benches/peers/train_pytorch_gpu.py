#!/usr/bin/env python3
"""Rate of training steps in PyTorch on a GPU, the peer of `cargo bench --bench train_gpu`.

What: the first configurations of a space, as curvebook prints them (curvebook_networks.py), one
after another, each for some steps to warm up and then timed ones: forward, softmax cross-entropy,
backward and Adam with L2 as `weight_decay` of the layers in the space's scope, on full batches of
noise that lie on the device already. FP32 throughout: TF32 is off for matrix products and for
cuDNN. `torch.backends.cudnn.benchmark` is on: cuDNN tries its algorithms while it warms up.

Each configuration is run in each of `--variants`, LAYOUT-HOW: memory layout (`plain`: as PyTorch
stores by default; `last`: torch.channels_last) and how steps are launched (`eager`: operation by
operation, `graph`: the whole step as one CUDA graph, replayed, its batch copied into place first).
Adam is fused, which is PyTorch's quickest. The last lines give the rate of each variant alone, and
of the fastest variant of each configuration: the figure to compare with. By the clock on the wall
between two synchronisations, the best of three rounds, which last `--seconds` together; what is
compiled, tried or captured beforehand is not in it. Operations are counted as curvebook counts
them, by PyTorch's own counter, and must agree.

What is left out to PyTorch's advantage: batches are neither gathered nor standardised, no loss is
read, no accuracy counted, nothing tested for being finite; the Rust side does all of these within
its steps.

Without a GPU it runs on the CPU, eager alone: that shows that the script works, and is no result.

Install (Python 3.11; the wheel brings CUDA):
  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install torch==2.15.0 numpy==2.4.6
Run (after `cargo build --release`, or with --curvebook PATH; `../train_gpu.sh` does it too):
  /tmp/peers/bin/python benches/peers/train_pytorch_gpu.py mnist-lenet
  /tmp/peers/bin/python benches/peers/train_pytorch_gpu.py mnist-lenet-lite
"""

import argparse
import json
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from curvebook_networks import ROOT, Model, show

WARM_STEPS, STEPS_MIN, STEPS_MAX, ROUNDS, BATCHES = 11, 2, 200, 3, 4
LAYOUTS = {"plain": torch.contiguous_format, "last": torch.channels_last}
HOW = ("eager", "graph")


def synchronise(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Training:
    """One configuration with its optimizer; `step` trains on batch `at`."""

    def __init__(self, shown, layout, device, is_graph):
        torch.manual_seed(0)
        memory_format, size = LAYOUTS[layout], shown["training"]["batch_size"]
        first, last = shown["layers"][0]["input"], shown["layers"][-1]["output"][0]
        self.model = Model(shown).to(device, memory_format=memory_format)
        # The lists of weights must still be of those that were moved.
        assert set(map(id, self.model.penalised)) <= set(map(id, self.model.parameters()))
        # A captured step may not ask the CPU how many steps there were.
        self.adam = self.model.adam(fused=True, capturable=is_graph)
        images = [torch.randn(size, *first, device=device) for _ in range(BATCHES)]
        self.batches = [
            (x.contiguous(memory_format=memory_format), torch.randint(last, (size,), device=device))
            for x in images
        ]

    def train(self, images, labels):
        self.adam.zero_grad(set_to_none=True)
        F.cross_entropy(self.model(images), labels).backward()
        self.adam.step()

    def eager(self):
        return lambda at: self.train(*self.batches[at % BATCHES])

    def graph(self):
        """Captures a step on a batch of its own, into which each step copies its own."""
        images, labels = (x.clone() for x in self.batches[0])
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_STEPS):
                self.train(images, labels)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.train(images, labels)

        def step(at):
            now = self.batches[at % BATCHES]
            images.copy_(now[0])
            labels.copy_(now[1])
            graph.replay()

        return step


def step_seconds(shown, variant, device, seconds):
    """Seconds of a step: the best round."""
    layout, how = variant.split("-")
    training = Training(shown, layout, device, how == "graph")
    step = getattr(training, how)()

    def timed(steps):
        synchronise(device)
        start = time.perf_counter()
        for at in range(steps):
            step(at)
        synchronise(device)
        return (time.perf_counter() - start) / steps

    # The first step tries algorithms; it says nothing about the others.
    timed(1)
    took = timed(WARM_STEPS if device.type == "cuda" else 1)
    steps = min(max(int(seconds / ROUNDS / took), STEPS_MIN), STEPS_MAX)
    return min(timed(steps) for _ in range(ROUNDS))


def describe(device):
    line = f"torch {torch.__version__} on "
    if device.type != "cuda":
        return f"{line}the CPU, {torch.get_num_threads()} threads: no GPU's result"
    return (f"{line}{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}, "
            f"cuDNN {torch.backends.cudnn.version()}, FP32, TF32 off")  # fmt: skip


def sums(configurations, took):
    """Of one step of each: operations and images a second, and their seconds."""
    seconds = sum(took)
    sizes = [shown["training"]["batch_size"] for shown in configurations]
    flops = sum(shown["flops_per_image"] * size for shown, size in zip(configurations, sizes))
    epoch = sum(
        t * shown["training"]["train_size"] / size
        for t, shown, size in zip(took, configurations, sizes)
    )
    return {"step_of_each_seconds": seconds, "epoch_of_each_seconds": epoch,
            "gflops_per_second": flops / seconds / 1e9,
            "images_per_second": sum(sizes) / seconds}  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("space")
    parser.add_argument("--curvebook", type=Path, default=ROOT / "target/release/curvebook")
    parser.add_argument("--configs", type=int, default=32, help="the first N Sobol points")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seconds", type=float, default=0.6, help="timed, each configuration")
    parser.add_argument("--variants", nargs="+", default=["plain-eager", "plain-graph", "last-graph"],
                        choices=[f"{layout}-{how}" for layout in LAYOUTS for how in HOW],
                        help="LAYOUT-HOW: plain or last, eager or graph")  # fmt: skip
    parser.add_argument("--json", type=Path, help="write the results to this file")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    print(describe(device))
    variants = arguments.variants
    if device.type != "cuda":
        variants = [variant for variant in variants if not variant.endswith("graph")]
        print("CUDA graphs: left out, they need a GPU")
        if not variants:
            raise SystemExit("no variant is left")
    configurations = [
        show(arguments.curvebook, arguments.space, "--config", i) for i in range(arguments.configs)
    ]
    took = {variant: [] for variant in [*variants, "the fastest of each"]}
    for shown in configurations:
        own = {}
        for variant in variants:
            own[variant] = step_seconds(shown, variant, device, arguments.seconds)
            if device.type == "cuda":
                # What one configuration leaves behind must not crowd out the next.
                torch.cuda.empty_cache()
        fastest = min(own, key=own.get)
        own["the fastest of each"] = own[fastest]
        for variant, seconds in own.items():
            took[variant].append(seconds)
        step_flops = shown["flops_per_image"] * shown["training"]["batch_size"]
        each = "  ".join(f"{v} {1e3 * own[v]:.3f} ms" for v in variants)
        print(f"{shown['config']:>5} {shown['flops_per_image'] / 1e6:>9.3f} MFLOP/image "
              f"{step_flops / own[fastest] / 1e9:>9.1f} GFLOP/s  {each}", flush=True)  # fmt: skip
    results = {variant: sums(configurations, seconds) for variant, seconds in took.items()}
    for variant, all_of in results.items():
        print(f"all {len(configurations)} of {arguments.space}, one after another, {variant}: "
              f"{1e3 * all_of['step_of_each_seconds']:.3f} ms a step of each, "
              f"{all_of['epoch_of_each_seconds']:.3f} s an epoch of each, "
              f"{all_of['gflops_per_second']:.1f} GFLOP/s, "
              f"{all_of['images_per_second']:.0f} images/s")  # fmt: skip
    if arguments.json:
        seconds = [{v: took[v][at] for v in variants} for at in range(len(configurations))]
        text = {"peer": describe(device), "space": arguments.space, "all": results,
                "step_seconds": seconds}  # fmt: skip
        arguments.json.write_text(json.dumps(text, indent=2) + "\n")


if __name__ == "__main__":
    main()
