"""The parts of vaecuda.py, which loads them; use that."""
