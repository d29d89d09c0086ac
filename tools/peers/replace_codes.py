#!/usr/bin/env python3
"""Writes a VQ-VAE's model file with other codes in it, as docs/results.md compares them.

replace_codes.py MODEL OUT --from OTHER       the codes of another model of the same shape
replace_codes.py MODEL OUT --uniform S        numbers of U(-S, S), the same in every run
"""
import argparse
import json
import random
import struct


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    end = 8 + struct.unpack("<Q", content[:8])[0]
    begin, stop = json.loads(content[8:end])["codebook"]["data_offsets"]
    return content, end + begin, end + stop


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from", dest="other")
    source.add_argument("--uniform", type=float)
    arguments = parser.parse_args()
    content, begin, stop = read(arguments.model)
    if arguments.other:
        other, first, last = read(arguments.other)
        codes = other[first:last]
    else:
        random.seed(1)
        numbers = [random.uniform(-arguments.uniform, arguments.uniform) for _ in range((stop - begin) // 4)]
        codes = struct.pack(f"<{len(numbers)}f", *numbers)
    if len(codes) != stop - begin:
        raise SystemExit("the codebooks have different shapes")
    with open(arguments.out, "wb") as file:
        file.write(content[:begin] + codes + content[stop:])


main()
