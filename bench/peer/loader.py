"""PyTorch's DataLoader over the data of the configs beside this folder, at the number of workers that is best here:
loader.py cifar|tensors EPOCHS."""

import sys
import time
import warnings

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms


class Images(Dataset):
    """Images in memory, given as torchvision.datasets.CIFAR10 gives them."""

    def __init__(self, n, transform):
        self.data = np.random.randint(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        self.targets = np.random.randint(0, 10, n).tolist()
        self.transform = transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.data[i])), self.targets[i]


def cifar():
    return Images(2560, transforms.Compose([
        transforms.RandomCrop(32, padding=4),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
    ]))


def tensors():
    return TensorDataset(torch.randn(12800, 64), torch.randint(10, (12800,)))


def run(loader, epochs):
    start = time.perf_counter()
    for _ in range(epochs):
        for _ in loader:
            pass
    return time.perf_counter() - start


def main():
    dataset = {"cifar": cifar, "tensors": tensors}[sys.argv[1]]()
    epochs, took = int(sys.argv[2]), []
    for workers in (0, 1, 2, 4):
        loader = DataLoader(dataset, batch_size=128, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
        run(loader, 1)
        took.append(run(loader, epochs) / epochs / len(loader))
    print(f"{min(took):.9f} s/batch")


warnings.simplefilter("ignore")  # more workers than cores
main()
