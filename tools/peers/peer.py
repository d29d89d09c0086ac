"""What the speed peers share: the options, the timing of training steps, and the JSON line that they print."""
import argparse
import json
import math
import statistics
import sys
import time

USAGE_ERROR, NO_DEVICE = 2, 5
LEARNING_RATE = 1e-3
SECONDS_PER_REPEAT = 0.3
MAXIMUM_ROWS = 60000
DATA_BYTES = {"cpu": 512 << 20, "cuda": 2 << 30}


class Unsupported(Exception):
    """What was asked for is not in this version of the framework, or not on this device."""


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def widths(text):
    return [positive(width) for width in text.split(",")]


def parse_options(description, modes):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--mode", default=modes[0], help=f"one or more of {', '.join(modes)}, with commas [{modes[0]}]")
    parser.add_argument("--input", type=positive, default=784, help="columns of the data [784]")
    parser.add_argument("--hidden", type=widths, default=[400], help="widths of the encoder's hidden layers [400]")
    parser.add_argument("--latent-dim", type=positive, default=20)
    parser.add_argument("--batch-size", type=positive, default=128)
    parser.add_argument("--samples", type=positive, default=1, help="latents drawn per row [1]")
    parser.add_argument("--rows", type=positive, help="rows of the data set [60000, or fewer in 2 GiB, 512 MiB on a CPU]")
    parser.add_argument("--steps", type=int, default=0, help="steps per repeat [0: about 0.3 s]")
    parser.add_argument("--repeats", type=positive, default=5)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads [0: the framework's own choice]")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.modes = options.mode.split(",")
    for mode in options.modes:
        if mode not in modes:
            parser.error(f"--mode: '{mode}' is none of {', '.join(modes)}")
    if options.device == "cpu" and options.precision == "tf32":
        parser.error("--precision tf32 needs --device cuda")
    if options.rows is None:
        fitting = DATA_BYTES[options.device] // (4 * options.input)
        options.rows = max(2 * options.batch_size, min(MAXIMUM_ROWS, fitting))
    if options.rows < options.batch_size:
        parser.error("--rows is less than --batch-size")
    return options


def layer_sizes(options):
    """(in, out) of the encoder's layers, the head, the decoder's layers, the output, in four lists."""
    down = [options.input, *options.hidden]
    up = [options.latent_dim, *reversed(options.hidden)]
    return (list(zip(down, down[1:])), [(down[-1], 2 * options.latent_dim)],
            list(zip(up, up[1:])), [(up[-1], options.input)])


def step_flops(options):
    """Arithmetic of the matrix products of one training step: forward, and two products backward."""
    encoder, head, decoder, output = layer_sizes(options)
    once = sum(a * b for a, b in encoder + head)
    per_sample = sum(a * b for a, b in decoder + output)
    return 6 * options.batch_size * (once + options.samples * per_sample)


def order_size(rows, take):
    """How many permutations of the rows to string together, and how many calls of `take` rows they serve."""
    epochs = math.ceil(take / rows)
    return epochs, epochs * rows // take


def measure(run, wait, options, granule):
    """Times run(n), which trains n steps and may return before they are done; wait() returns when they are.

    n is always a multiple of granule. Returns milliseconds per step of every repeat, and the steps of a repeat.
    """
    def seconds(steps):
        wait()
        start = time.perf_counter()
        run(steps)
        wait()
        return time.perf_counter() - start

    seconds(granule)  # compiles and allocates
    warm, last = 0.0, 0.0
    while warm < SECONDS_PER_REPEAT:
        last = seconds(granule)
        warm += last
    wanted = options.steps if options.steps > 0 else granule * SECONDS_PER_REPEAT / last
    steps = granule * max(1, math.ceil(wanted / granule))
    return [seconds(steps) * 1e3 / steps for _ in range(options.repeats)], steps


def quartile_distance(values):
    if len(values) < 2:
        return None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def report(options, times, steps, loss, **facts):
    """Prints the line. As in vae_cuda_bench, spread is the distance of the repeats' quartiles over their median."""
    if not math.isfinite(loss):
        raise ArithmeticError(f"the loss became {loss}")
    ms, distance = statistics.median(times), quartile_distance(times)
    sizes = {name: getattr(options, name) for name in ("input", "hidden", "latent_dim", "batch_size", "samples")}
    line = {**facts, "device": options.device, "precision": options.precision, **sizes, "ms_per_step": ms,
            "spread": None if distance is None else distance / ms, "rows_per_second": options.batch_size * 1e3 / ms,
            "loss": loss, "steps": steps, "repeats": options.repeats, "rows": options.rows}
    print(json.dumps(line), flush=True)


def run_modes(options, name, measure_mode):
    """measure_mode(mode) for each mode; a failing one does not keep the others from running. Returns an exit code."""
    code = 0
    for mode in options.modes:
        try:
            measure_mode(mode)
        except Unsupported as error:
            print(f"{name}: mode {mode}: {error}", file=sys.stderr)
            code = code or USAGE_ERROR
        except Exception as error:
            # Frameworks end their messages with pages of advice.
            text = str(error).strip().splitlines() or [""]
            print(f"{name}: mode {mode}: {type(error).__name__}: {text[0]}", file=sys.stderr)
            code = 1
    return code
