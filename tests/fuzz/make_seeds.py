#!/usr/bin/env python3
"""Writes the seeds of tests/fuzz/corpus that are made by hand: small files of every format, sound and broken.

usage: make_seeds.py CORPUS [vae_cuda_train]

With the program, a model and a state of a tiny run are written as well.
"""
import gzip
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile


def idx(code, dims, data):
    return bytes([0, 0, code, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + data


def npy(descr, shape, data, fortran=False, version=1):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    size = 10 if version == 1 else 12
    text += b" " * (-(len(text) + size + 1) % 64) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def archive(members, method=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name + ".npy"), data, method)  # of a fixed date
    return content.getvalue()


def scipy():
    """A 2x3 matrix in the three formats, as archives (0) and as the arrays that the target packs itself."""
    def ints(*values):
        return npy("<i4", (len(values),), struct.pack(f"<{len(values)}i", *values))
    def name(letters):
        return npy("|S3", (), letters)
    shape = npy("<i8", (2,), struct.pack("<2q", 2, 3))
    csr = {"format": name(b"csr"), "shape": shape, "indptr": ints(0, 2, 3), "indices": ints(0, 2, 1), "data": ints(1, 300, 2)}
    csc = {"format": name(b"csc"), "shape": shape, "indptr": ints(0, 1, 2, 3), "indices": ints(0, 1, 0), "data": ints(1, 2, 3)}
    coo = {"format": name(b"coo"), "shape": shape, "row": ints(1, 0, 0), "col": ints(1, 0, 0),
           "data": npy("<f4", (3,), struct.pack("<3f", 0.5, 1, 2))}
    def arrays(choice, members):
        return bytes([choice]) + b"".join(bytes([len(data)]) + data for data in members.values())
    yield "csr", b"\0" + archive(csr)
    yield "csc-deflated", b"\0" + archive(csc, zipfile.ZIP_DEFLATED)
    yield "cut", b"\0" + archive(csr)[:-30]
    yield "csr-arrays", arrays(1, csr)
    yield "csc-arrays", arrays(3, csc)
    yield "coo-arrays", arrays(6, coo)
    yield "unsorted", arrays(1, {**csr, "indices": ints(2, 0, 1)})
    yield "twice", arrays(1, {**csr, "indices": ints(2, 2, 1)})


def safetensors(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def deflate(data):
    return gzip.compress(data, mtime=0)


def events():
    """TFRecord frames: length, checksum, event, checksum; the checksums are not looked at."""
    def frame(event):
        return struct.pack("<Q", len(event)) + bytes(4) + event + bytes(4)
    time = b"\x09" + struct.pack("<d", 1.5)
    first = frame(time + b"\x1a\x0dbrain.Event:2")
    scalar = frame(time + b"\x10\x05\x2a\x0b\x0a\x09\x0a\x02ab\x15" + struct.pack("<f", 1))
    image = frame(time + b"\x10\x06\x2a\x08\x0a\x06\x0a\x02ab\x22\x00")
    return {"run": b"\xff" + first + scalar + image, "cut": b"\x04" + first + scalar, "half": b"\xff" + first + scalar[:-3],
            "long": b"\xff" + struct.pack("<Q", (1 << 64) - 1) + bytes(20),
            "varint": b"\xff" + frame(time + b"\x10" + b"\xff" * 12 + b"\x2a" + b"\xff" * 12)}


def seeds():
    floats = struct.pack("<6f", 0.5, -1.25, 3e-5, 1e30, -0.0, 2.0)
    table = b"a,b,label\n1,2.5,x\n-3,4e-2,y\n0,\"1\",x\n"
    toml = b'[data]\npath = "x.npy"\n[model]\nhidden = [8, 4]\nlatent_dim = 2\n[optimizer]\nlr = 1e-3\n' \
           b'lr_schedule = "cosine:warmup=10"\n[train]\nepochs = 3\nseed = 7\n'
    record = bytes([3]) + bytes(range(256)) * 12
    yield "idx", {
        "u8-pictures": idx(8, [3, 2, 2], bytes(range(12))),
        "f32": idx(13, [2, 3], struct.pack(">6f", 1, 2, 3, 4, 5, 6)),
        "f64-colour": idx(14, [1, 1, 1, 3], struct.pack(">3d", 1, 2, 3)),
        "i32-labels": idx(12, [4], struct.pack(">4i", 1, 0, -7, 1 << 24)),
        "i16": idx(11, [2, 1], struct.pack(">2h", -1, 300)),
        "huge": idx(8, [0xffffffff] * 4, b""),
        "zero": idx(8, [2, 0], b""),
    }
    yield "npy", {
        "f4": npy("<f4", (3, 2), floats),
        "u1-pictures": npy("|u1", (2, 2, 2), bytes(range(8))),
        "i8": npy("<i8", (2, 1), struct.pack("<2q", 1, 2)),
        "bool": npy("|b1", (2, 2), b"\0\1\1\0"),
        "version-2": npy("<f8", (1, 3), struct.pack("<3d", 1, 2, 3), version=2),
        "fortran": npy("<f4", (3, 2), floats, fortran=True),
        "bomb": npy("<f4", (1 << 62,), b""),
        "object": npy("|O", (2,), b"\x80\x04."),
    }
    yield "csv", {
        "labels": b"\0" + table,
        "no-labels": b"\1" + table,
        "by-index": b"\2" + b"7;1;2\n8;3;4\n",
        "by-name": b"\3" + b"\xef\xbb\xbflabel\tx\r\n1\t2\r\n",
        "quotes": b"\1" + b'"a ""b""","c,d"\n"1", 2 \n\n\n',
        "gap": b"\0" + b"a,b\n1,\n",
        "nan": b"\0" + b"1,nan\n1e400,2\n",
    }
    yield "scipy", dict(scipy())
    banner = b"%%MatrixMarket matrix "
    yield "mtx", {
        "real": banner + b"coordinate real general\n% of genes\n2 3 3\n1 1 1.5\n2 3 -2e3\n1 1 1\n",
        "integer": banner + b"coordinate integer general\r\n70000 2 1\r\n70000 2 300",
        "pattern": banner + b"coordinate pattern general\n2 70000 2\n1 2\n2 69999\n",
        "array": banner + b"array real general\n2 2\n1\n2\n3\n4\n",
        "symmetric": banner + b"coordinate real symmetric\n2 2 1\n1 1 1\n",
        "lies": banner + b"coordinate real general\n4294967296 4294967296 1\n1 1 1\n",
        "bomb": banner + b"array real general\n4000000 4000000\n",
    }
    yield "svmlight", {
        "labels": b"# comment\n1 1:0.5 3:2 # more\n-1 2:1\n",
        "zero-based": b"0 0:1 70000:3\n1\n",
        "queries": b"2 qid:1 3:1 1:4\n",
        "twice": b"1 1:1 1:2\n",
        "nan": b"1 1:nan\n",
        "far": b"1 4294967295:1\n",
    }
    yield "gzip", {
        "text": deflate(table),
        "members": deflate(b"a") + deflate(b"") + deflate(b"b" * 300),
        "stored": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01\x02\x00\xfd\xffab" +
                  struct.pack("<II", 0x9e83486d, 2),
        "named": b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03name\x00" + deflate(b"hello")[10:],
        "bomb": deflate(b"\0" * 100000),
        "tail": deflate(b"x") + b"junk",
        "plain": b"no gzip at all",
    }
    yield "cifar", {
        "record": record,
        "two": record + bytes([9]) + bytes(3072),
        "label-10": bytes([10]) + bytes(3072),
        "short": b"\0" + bytes(99),
    }
    yield "config", {
        "run": toml,
        "every-kind": b'[data]\npath="a"\nstandardize=true\nimage="2x2x1"\n[output]\ndir="o"\nlog_every=5\n'
                      b'checkpoint_seconds=1.5\n[objective]\nbeta=4\n',
        "unknown": b"[model]\nhiden = [1]\n",
        "nested": b"[a]\nx = " + b"[" * 40 + b"]" * 40 + b"\n",
        "dotted": b"model.latent_dim = 3\n" + b".".join([b"a"] * 60) + b" = 1\n",
        "strings": b'[data]\npath = """a\\u00e4\n\\"b"""\nnormal_label = \'c\'\n',
        "dates": b"[train]\nepochs = 1979-05-27T07:32:00Z\n",
    }
    yield "safetensors", {
        "two": safetensors({"__metadata__": {"a": "b"}, "x": tensor([2, 2], 0, 16), "y": tensor([2], 16, 24)}, floats),
        "empty": safetensors({}, b""),
        "scalar": safetensors({"s": tensor([], 0, 4)}, floats[:4]),
        "types": safetensors({"h": tensor([3], 0, 6, "BF16"), "b": tensor([2], 6, 8, "U8")}, bytes(8)),
        "escapes": safetensors(b'{"\\u00e4\\ud83d\\ude00\\n":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ', bytes(4)),
        "hole": safetensors({"x": tensor([1], 4, 8)}, bytes(8)),
        "overlap": safetensors({"x": tensor([2], 0, 8), "y": tensor([1], 4, 8)}, bytes(8)),
        "huge": safetensors({"x": tensor([1 << 62, 4], 0, 8)}, bytes(8)),
        "long-header": struct.pack("<Q", 100_000_000) + b"{",
    }
    line = b'{"step":%d,"epoch":%s,"loss":%s,"reconstruction":1,"kl":0.5,"lr":0.001,"seconds":0.5,"valid":' \
           b'{"loss":%s,"reconstruction":1,"kl":0.5,"active_units":2,"kl_per_latent":[%s,0.25]}}\n'
    codes = b'{"step":1,"epoch":1,"loss":2,"quantization_error":0.5,"perplexity":3,"least_perplexity":2}\n'
    yield "report", {
        "run": b"\0" + b"".join(line % (i, b"%d" % i, b"%d" % (9 - i), b"5", b"0.75") for i in range(1, 6)),
        "greatest": b"\0" + line % (1, b"1", b"1", b"1", b"1.7e308") + line % (2, b"2", b"-1.7e308", b"1", b"1.7e308"),
        "least": b"\1" + line % (1, b"5e-324", b"5e-324", b"0", b"0") + line % (2, b"1e-310", b"1e-310", b"null", b"null"),
        "steps": b"\0" + line % (10 ** 11, b"1e-300", b"1", b"1", b"1") + line % ((1 << 63) - 1, b"1e300", b"1", b"1", b"1"),
        "codes": b"\2" + codes,
        "broken": b"\0{\"step\":1}\n\n[]\nnan\n" + codes[:30],
    }
    yield "events", events()
    mixed = {"table": table, "sparse": archive({"format": b"", "shape": b"", "data": b""}),
             "mtx": banner + b"array real general\n1 1\n1\n", "svmlight": b"1 1:0.5 3:2\n", "idx": idx(8, [3, 2, 2], bytes(range(12))), "npy": npy("<f4", (3, 2), floats),
             "compressed": deflate(npy("|u1", (2, 2), b"abcd")), "zip": b"PK\3\4" + bytes(30), "png": b"\x89PNG\r\n\x1a\n"}
    yield "dataset", mixed


def trained(program):
    rows = b"\n".join(b"0.%d,0.%d,0.%d" % (i % 10, (3 * i) % 10, (7 * i) % 10) for i in range(20)) + b"\n"
    for kind, options in (("bernoulli", []), ("gaussian", ["--likelihood", "gaussian", "--standardize"])):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder, "t.csv")
            data.write_bytes(b"a,b,c\n" + rows)
            out = pathlib.Path(folder, "run")
            subprocess.run([program, "--data", data, "--hidden", "2", "--latent-dim", "1", "--steps", "3",
                            "--valid-fraction", "0.2", "--batch-size", "4", "--device", "cpu", "--quiet", *options,
                            "--out", out], check=True)
            yield kind, (out / "model.safetensors").read_bytes(), (out / "state.safetensors").read_bytes()


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    corpus = pathlib.Path(sys.argv[1])

    def write(target, name, data):
        (corpus / target).mkdir(parents=True, exist_ok=True)
        (corpus / target / name).write_bytes(data)

    for target, files in seeds():
        for name, data in files.items():
            write(target, name, data)
    if len(sys.argv) == 3:
        for kind, model, state in trained(sys.argv[2]):
            write("model", kind, model)
            write("state", kind, state)
            write("safetensors", "model-" + kind, model)
        length = struct.unpack("<Q", model[:8])[0]
        write("model", "truncated", model[:-3])
        write("state", "truncated", state[:8 + length // 2])


if __name__ == "__main__":
    main()
