"""A table into a tensor by pandas, as it comes: table.py FILE TIMES."""

import sys

import pandas
import torch

for _ in range(int(sys.argv[2])):
    torch.from_numpy(pandas.read_csv(sys.argv[1]).to_numpy())
