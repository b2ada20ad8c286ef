#!/usr/bin/env python3
"""Writes digits.bin.gz: 1,797 images of 64 bytes (0..16, row-major), then 1,797 labels.

Made with scikit-learn 1.9.1 and Python 3.11: python3 make_digits.py, in this directory.
Data: UCI "Optical Recognition of Handwritten Digits" test set, E. Alpaydin and C. Kaynak,
CC BY 4.0, via scikit-learn (BSD-3).
"""

import gzip
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
images = digits.data.astype(np.uint8)
assert (images == digits.data).all() and images.max() == 16
payload = images.tobytes() + digits.target.astype(np.uint8).tobytes()
target = Path(__file__).with_name("digits.bin.gz")
target.write_bytes(gzip.compress(payload, compresslevel=9, mtime=0))
print(target.name, target.stat().st_size, digits.data.sum(), digits.target.sum())
