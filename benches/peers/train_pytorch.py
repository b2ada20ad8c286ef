#!/usr/bin/env python3
"""Rate of training steps in PyTorch, the peer of `cargo bench --bench training`.

What: the first configurations of a space, as curvebook prints them (curvebook_networks.py), each
trained for one step to warm up and then at least two steps and at least half a second of them, on
full batches of real images, on one thread, by the process's CPU time. A step is forward, softmax
cross-entropy, backward and Adam with L2 as `weight_decay` of the layers in the space's scope.
Operations are counted as curvebook counts them, by PyTorch's own counter, and must agree. The rate
of all is that of an epoch of each: operations of all epochs / seconds of all epochs.

What is left out to PyTorch's advantage: batches are cut, standardised and laid out beforehand, and
no loss is read, no accuracy counted, nothing tested for being finite; the Rust side does all of
these but the cutting within its steps.

Every configuration is run in each of `--variants`: memory layout (`plain`: as PyTorch stores by
default; `last`: torch.channels_last) and how Adam runs (`foreach`, or `fused`: one kernel). The last
lines give the rate of each variant alone, and of the fastest variant of each configuration: the
figure to compare with. torch.compile was left aside: it compiles every configuration anew.

The two MALLOC variables let glibc keep freed memory, as jemalloc would, which PyTorch's own guide to
tuning advises: without them every step faults in the pages of its activations again. That took
configuration 10 of mnist-lenet from 36 to 20 GFLOP/s, and nothing from most small ones.

Install (Python 3.11):
  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install torch==2.15.0 numpy==2.4.6
Run (after `cargo build --release`):
  export OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000
  /tmp/peers/bin/python benches/peers/train_pytorch.py mnist-lenet-lite --data-dir DIR --configs 32
"""

import argparse
import time

import torch
from torch.nn import functional as F

from curvebook_networks import Model, add_arguments, show, split

TIMED_SECONDS_MIN, STEPS_MIN, BATCHES_MAX, SGEMM_SIZE = 0.5, 2, 8, 1024
LAYOUTS = {"plain": torch.contiguous_format, "last": torch.channels_last}


def timed(step, seconds_min, steps_min):
    """CPU seconds of each step, after one to warm up."""
    step(0)
    wall, clock, seconds = time.perf_counter(), time.process_time(), []
    while len(seconds) < steps_min or time.perf_counter() - wall < seconds_min:
        step(len(seconds) + 1)
        now = time.process_time()
        seconds.append(now - clock)
        clock = now
    return seconds


def step_seconds(shown, batches, variant):
    layout, how = variant.split("-")
    torch.manual_seed(0)
    model = Model(shown).to(memory_format=LAYOUTS[layout])
    adam = model.adam(**{how: True})
    batches = [(x.contiguous(memory_format=LAYOUTS[layout]), y) for x, y in batches]

    def step(at):
        images, labels = batches[at % len(batches)]
        adam.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        adam.step()

    seconds = timed(step, TIMED_SECONDS_MIN, STEPS_MIN)
    return sum(seconds) / len(seconds)


def sgemm_rate():
    """The core's rate at products of two square matrices, in GFLOP/s: the fastest pass."""
    a, b = torch.ones(SGEMM_SIZE, SGEMM_SIZE), torch.full((SGEMM_SIZE, SGEMM_SIZE), 0.5)
    out = torch.empty_like(a)
    seconds = timed(lambda _: torch.mm(a, b, out=out), TIMED_SECONDS_MIN, STEPS_MIN)
    return 2 * SGEMM_SIZE**3 / min(seconds) / 1e9


def main():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--configs", type=int, default=8, help="the first N Sobol points")
    parser.add_argument("--first", type=int, default=0, help="leave out those before")
    parser.add_argument("--variants", nargs="+", default=["plain-foreach", "plain-fused", "last-fused"],
                        help="LAYOUT-ADAM: plain or last, foreach or fused")  # fmt: skip
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = show(arguments.curvebook, arguments.space)["dataset"]
    configurations = [
        show(arguments.curvebook, arguments.space, "--config", i)
        for i in range(arguments.first, arguments.configs)
    ]
    (images, labels), _ = split(dataset, arguments.data_dir, configurations[0]["training"])
    core = sgemm_rate()
    print("torch", torch.__version__, "on", torch.get_num_threads(), "thread,",
          torch.backends.cpu.get_cpu_capability())  # fmt: skip
    flops, seconds = 0.0, dict.fromkeys([*arguments.variants, "the fastest of each"], 0.0)
    for shown in configurations:
        size = shown["training"]["batch_size"]
        count = min(BATCHES_MAX, len(images) // size)
        batches = [(images[i * size :][:size], labels[i * size :][:size]) for i in range(count)]
        took = {v: step_seconds(shown, batches, v) for v in arguments.variants}
        fastest = min(took, key=took.get)
        took["the fastest of each"] = took[fastest]
        step_flops = shown["flops_per_image"] * size
        epoch_steps = len(images) / size
        flops += step_flops * epoch_steps
        for variant in seconds:
            seconds[variant] += took[variant] * epoch_steps
        print(f"{shown['config']:>5} {shown['params']:>9} params "
              f"{shown['flops_per_image'] / 1e6:>9.3f} MFLOP/image {1e3 * took[fastest]:>10.3f} "
              f"ms/step {step_flops / took[fastest] / 1e9:>6.1f} GFLOP/s  {fastest}",
              flush=True)  # fmt: skip
    core = max(core, sgemm_rate())
    for variant, all_seconds in seconds.items():
        print(f"all, {variant}: {flops / all_seconds / 1e9:.1f} GFLOP/s, "
              f"{all_seconds:.3f} s an epoch of each")  # fmt: skip
    best = flops / seconds["the fastest of each"] / 1e9
    print(f"sgemm of {SGEMM_SIZE}: {core:.1f} GFLOP/s, of which training {best / core:.2f}")


if __name__ == "__main__":
    main()
