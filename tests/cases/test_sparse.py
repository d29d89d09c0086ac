"""Sparse files from training to use: the same results as from the dense ones, and broken files named with their place."""

import io
import random
import struct
import zipfile

from support import BAD_FILE, Case, main, npy

FEW = ["--likelihood", "gaussian", "--hidden", "8", "--latent-dim", "3", "--epochs", "2", "--batch-size", "16",
       "--valid-fraction", "0.2", "--device", "cpu"]
ROWS, COLUMNS = 60, 12


def counts(seed=3):
    draw = random.Random(seed)
    return [[draw.choice((0, 0, 0, 0, 1, 2, 300)) for _ in range(COLUMNS)] for _ in range(ROWS)]


def ints(values):
    return npy("<i4", (len(values),), struct.pack(f"<{len(values)}i", *values))


def csr(rows, **changed):
    """The archive that scipy.sparse.save_npz writes; `changed`: arrays in the place of its own."""
    begins, indices, data = [0], [], []
    for row in rows:
        for column, value in enumerate(row):
            if value:
                indices.append(column)
                data.append(value)
        begins.append(len(data))
    arrays = {"indices": ints(indices), "indptr": ints(begins), "format": npy("|S3", (), b"csr"),
              "shape": npy("<i8", (2,), struct.pack("<2q", len(rows), len(rows[0]))), "data": ints(data), **changed}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in arrays.items():
            file.writestr(name + ".npy", array)
    return content.getvalue()


def mtx(rows):
    entries = [(r + 1, c + 1, v) for r, row in enumerate(rows) for c, v in enumerate(row) if v]
    lines = [f"{len(rows)} {len(rows[0])} {len(entries)}", *(f"{r} {c} {v}" for r, c, v in entries)]
    return "%%MatrixMarket matrix coordinate integer general\n" + "\n".join(lines) + "\n"


def svmlight(rows):
    return "".join("0 " + " ".join(f"{c}:{v}" for c, v in enumerate(row, 1) if v) + "\n" for row in rows)


class Sparse(Case):
    def test_every_command_takes_them_and_gives_what_dense_rows_give(self):
        rows = counts()
        rows[0][-1] = 1  # svmlight knows its columns by their values
        flat = [float(value) for row in rows for value in row]
        self.write("x.npy", npy("<f4", (ROWS, COLUMNS), struct.pack(f"<{len(flat)}f", *flat)))
        self.write("x.npz", csr(rows))
        self.write("x.mtx", mtx(rows))
        self.write("x.svm", svmlight(rows))
        self.write("y.csv", "".join(f"{'ab'[i % 2]}\n" for i in range(ROWS)))
        for name in "x.npy", "x.npz", "x.mtx", "x.svm":
            run = name.replace(".", "_")
            self.assert_done(self.train("--data", name, *FEW, "--out", run), f"{name}: {ROWS} rows × {COLUMNS} columns")
            self.assert_done(self.tool("encode", f"{run}/model.safetensors", "--data", name, "--out", f"{run}_z.npy"))
            self.assert_done(self.tool("score", f"{run}/model.safetensors", "--data", name, "--out", f"{run}_s.npy"))
            self.assert_done(self.tool("reconstruct", f"{run}/model.safetensors", "--data", name, "--out", f"{run}_r.npy"))
            self.assert_done(self.tool("evaluate", f"{run}/model.safetensors", "--data", name, "--labels", "y.csv"))
            for kind in "z", "s", "r":
                self.assertEqual((self.folder / f"{run}_{kind}.npy").read_bytes(),
                                 (self.folder / f"x_npy_{kind}.npy").read_bytes(), f"{name}, {kind}")
        # A model of dense rows scores sparse ones, and a run takes one kind for training and another for the test.
        self.assert_done(self.tool("score", "x_npy/model.safetensors", "--data", "x.npz", "--out", "mixed.npy"))
        self.assertEqual((self.folder / "mixed.npy").read_bytes(), (self.folder / "x_npy_s.npy").read_bytes())
        self.assert_done(self.train("--data", "x.npz", "--test", "x.npy", *FEW, "--standardize", "--out", "both"))
        self.assert_done(self.train("--data", "x.npy", "--test", "x.mtx", *FEW, "--out", "other"))

    def test_a_run_resumes_and_refuses_other_rows(self):
        self.write("x.npz", csr(counts()))
        self.assert_done(self.train("--data", "x.npz", *FEW, "--out", "run"))
        self.assert_done(self.train("--resume", "run", "--epochs", "3"))
        changed = counts()
        changed[5][5] += 1
        self.write("x.npz", csr(changed))
        self.assertNotEqual(self.train("--resume", "run", "--epochs", "4").code, 0)

    def test_counts_are_never_grey_values(self):
        rows = [[min(value, 200) for value in row] for row in counts()]
        self.write("x.npz", csr(rows))
        done = self.train("--data", "x.npz", *FEW, "--out", "run")
        self.assert_done(done)
        self.assert_silent_about(done, "divided")

    def test_broken_files_are_named_with_their_place(self):
        rows = counts()
        def refuse(name, content, *parts):
            self.write(name, content)
            self.assert_ended(self.train("--data", name, *FEW, "--out", "run"), BAD_FILE, name, *parts)
        refuse("x.npz", csr(rows, indices=ints([99])), "indices.npy", "expected")
        refuse("x.npz", csr(rows, shape=npy("<i8", (2,), struct.pack("<2q", ROWS, 3))), "indices.npy", "out of range")
        refuse("x.npz", csr(rows, indptr=ints([0, 5, 3] + [5] * (ROWS - 2))), "indptr.npy", "never fall")
        refuse("x.npz", csr(rows)[:400], "zip archive")
        refuse("x.mtx", mtx(rows)[:200], "truncated")
        refuse("x.svm", svmlight(rows) + "0 1:nan\n", f"line {ROWS + 1}", "missing value")
        self.write("p.npz", csr(rows))
        self.assert_ended(self.shell(f'cat p.npz | "$B/vae_cuda_train" --data /dev/stdin {" ".join(FEW)} --out run'), BAD_FILE,
                          "through a pipe")


if __name__ == "__main__":
    main()
