"""Sparse files as SciPy writes them: every value is that of SciPy's own reader."""

import gzip
import shutil
import sys

import numpy
import scipy.io
import scipy.sparse as sparse

from support import SOURCE, Case, main

sys.path.insert(0, str(SOURCE / "tools" / "python"))
import vaecuda  # noqa: E402


def some(rows, columns, density, dtype, seed):
    draw = numpy.random.default_rng(seed)
    x = sparse.random(rows, columns, density=density, format="csr", random_state=seed, dtype=numpy.float64)
    x.data = draw.integers(1, 70000, x.nnz) if numpy.dtype(dtype).kind in "iu" and numpy.dtype(dtype).itemsize > 2 \
        else draw.integers(1, 100, x.nnz) if numpy.dtype(dtype).kind in "iu" else draw.normal(size=x.nnz)
    return x.astype(dtype)


class SciPy(Case):
    def check(self, path, x):
        expected = x.toarray().astype(numpy.float32)
        found = vaecuda.load_rows(path)
        self.assertEqual(found.shape, expected.shape)
        self.assertTrue(numpy.array_equal(found, expected), str(path))

    def test_npz(self):
        seed = 0
        for dtype in "int8", "uint8", "int16", "uint16", "int32", "int64", "float32", "float64":
            for form in "csr", "csc", "coo":
                for compressed in True, False:
                    for rows, columns, density in (30, 20, 0.2), (1, 7, 1.0), (5, 70001, 0.001), (400, 3, 0.0):
                        seed += 1
                        x = some(rows, columns, density, dtype, seed).asformat(form)
                        path = self.folder / "x.npz"
                        sparse.save_npz(path, x, compressed=compressed)
                        self.check(path, x)
        sparse.save_npz(path, sparse.csr_array(some(9, 8, 0.3, "int32", 1)))
        self.check(path, sparse.load_npz(path))

    def test_columns_that_scipy_leaves_out_of_order(self):
        x = some(50, 40, 0.3, "int32", 5)
        x = x[:, numpy.random.default_rng(1).permutation(40)]
        self.assertFalse(x.has_sorted_indices)
        sparse.save_npz(self.folder / "x.npz", x)
        self.check(self.folder / "x.npz", x)
        x = sparse.coo_matrix(([1, 2, 4], ([0, 1, 0], [3, 2, 3])), shape=(2, 5))
        sparse.save_npz(self.folder / "x.npz", x)
        self.check(self.folder / "x.npz", x)

    def test_matrix_market(self):
        for dtype in "int32", "float64":
            for form in "csr", "csc", "coo":
                x = some(25, 14, 0.2, dtype, 7).asformat(form)
                path = self.folder / "x.mtx"
                scipy.io.mmwrite(path, x, symmetry="general")
                self.check(path, x)
                with open(path, "rb") as plain, gzip.open(self.folder / "x.mtx.gz", "wb") as packed:
                    shutil.copyfileobj(plain, packed)
                self.check(self.folder / "x.mtx.gz", x)
        scipy.io.mmwrite(path, x, field="pattern", symmetry="general")
        self.check(path, x != 0)
        dense = some(6, 5, 0.5, "float64", 9).toarray()
        scipy.io.mmwrite(path, dense, symmetry="general")
        self.check(path, sparse.csr_matrix(dense))


if __name__ == "__main__":
    main()
