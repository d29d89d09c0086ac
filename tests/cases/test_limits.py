#!/usr/bin/env python3
"""Limits of memory, threads and stack: what is needed is bounded and asked for, and what cannot be had is said."""

import os
import resource
import shutil
import subprocess

import support
from support import BIN, Case

MIB = 1024  # KiB, as getrusage counts


class ConditionalMemory(Case):
    """A model that is told one of 4,000 classes: a row of two values has 16,000 bytes of labels."""

    ROWS = 12_000

    def setUp(self):
        super().setUp()
        self.table("rows.csv", [[i % 7, i % 5, f"c{i % 4000}"] for i in range(self.ROWS)], ["a", "b", "label"])
        self.assert_done(self.train("--data", "rows.csv", "--out", "run", "--conditional", "--likelihood", "gaussian",
                                    "--steps", "2", "--hidden", "4", "--latent-dim", "2", "--device", "cpu",
                                    "--no-report"))

    def peak(self, command, *words):
        """The most memory of a command, in MiB."""
        process = subprocess.Popen([str(BIN / "vae_cuda"), command, "run/model.safetensors", *words, "--device", "cpu",
                                    "--threads", "1", "--quiet"], cwd=self.folder)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, support.OK, command)
        return usage.ru_maxrss / MIB

    def test_passes_are_bounded(self):
        # All labels at once would be 183 MiB, and as much again where the host holds them.
        data = ["--data", "rows.csv"]
        for words in (["encode", *data, "--out", "z.npy"], ["reconstruct", *data, "--out", "x.npy"],
                      ["score", *data, "--out", "s.csv"], ["score", *data, "--metric", "nll", "--samples", "2",
                                                           "--out", "n.csv"],
                      ["generate", "--count", str(self.ROWS), "--label", "c5", "--out", "g.npy"]):
            with self.subTest(" ".join(words)):
                self.assertLess(self.peak(*words), 130)

    def test_too_much_is_refused_first(self):
        line = (f"ulimit -v 700000; exec $B/vae_cuda encode run/model.safetensors --data rows.csv --out z.npy "
                f"--batch-size {self.ROWS * 10} --device cpu --threads 1")
        self.assert_ended(self.shell(line), support.OUT_OF_MEMORY, "not enough memory for encode", "MiB available")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["rows.csv", "run"])


class SmallMachine(Case):
    """What a person's limits leave: the programs work with little, and say what is too little."""

    TRAIN = "--data rows.csv --out run --steps 3 --likelihood gaussian --device cpu"

    def setUp(self):
        super().setUp()
        self.table("rows.csv", support.sensor_rows(), support.SENSOR_NAMES)

    def test_little_data_memory(self):
        # 256 MiB of it were taken before the first argument was read, or waited for without end.
        for program in ("vae_cuda", "vae_cuda_train", "vae_cuda_bench"):
            self.assert_done(self.shell(f"ulimit -d 60000; exec $B/{program} --version", timeout=10), program)
        self.assert_done(self.shell(f"ulimit -d 100000; $B/vae_cuda_train {self.TRAIN} && exec $B/vae_cuda encode "
                                    "run/model.safetensors --data rows.csv --out z.npy", timeout=20))

    def test_little_address_space(self):
        self.assert_done(self.shell(f"ulimit -v 200000; exec $B/vae_cuda_train {self.TRAIN}", timeout=20))
        self.assert_ended(self.shell(f"ulimit -v 60000; exec $B/vae_cuda_train {self.TRAIN} --overwrite", timeout=20),
                          support.OUT_OF_MEMORY, "error: ", "memory")

    def test_no_room_for_threads(self):
        # A thread's stack is as large as the limit says, and there is room for few or none of them.
        line = f"ulimit -s 262144; ulimit -v 500000; exec $B/vae_cuda_train {self.TRAIN} --hidden 800 --threads 8"
        self.assert_done(self.shell(line, timeout=20), " of 8 threads: no more can be started here")

    def test_no_process_to_be_had(self):
        """The limit of processes holds for anyone but root, who becomes nobody for it."""
        program = shutil.copy(BIN / "vae_cuda_train", self.folder / "train")
        self.folder.chmod(0o777)

        def limit():
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

        done = subprocess.run([program, *self.TRAIN.split(), "--hidden", "800", "--threads", "4"], cwd=self.folder,
                              preexec_fn=limit, capture_output=True, timeout=20, text=True)
        self.assertEqual(done.returncode, support.OK, done.stderr)
        self.assertIn("computing on 1 of 4 threads: no more can be started here", done.stderr)
        self.assertNotIn("libgomp", done.stderr)

    def test_small_stack(self):
        for size in (64, 128, 255):
            self.assert_ended(self.shell(f"ulimit -s {size}; exec $B/vae_cuda_train {self.TRAIN}"),
                              support.OUT_OF_MEMORY, "the stack is limited to", "ulimit -s")
        self.assert_done(self.shell(f"ulimit -s 256; exec $B/vae_cuda_train {self.TRAIN} --threads 2 --hidden 800"))


if __name__ == "__main__":
    support.main()
