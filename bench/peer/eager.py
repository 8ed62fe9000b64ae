"""PyTorch's own training loop, as it is written by hand, for the configs beside this folder: eager.py cnn|transformer|lstm EPOCHS."""

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def conv(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]


class First(nn.Module):
    """The first of several results."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)[0]


def cnn():
    layers = [*conv(3, 32), nn.MaxPool2d(2), *conv(32, 64), nn.MaxPool2d(2), *conv(64, 128)]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))
    return net, 128, torch.randn(1280, 3, 32, 32), torch.randn(1280, 10)


def transformer():
    layer = nn.TransformerEncoderLayer(128, 4, 512, batch_first=True)
    return nn.TransformerEncoder(layer, 4), 16, torch.randn(160, 128, 128), torch.randn(160, 128, 128)


def lstm():
    return First(nn.LSTM(64, 128, num_layers=2, batch_first=True)), 32, torch.randn(320, 64, 64), torch.randn(320, 64, 128)


def main():
    net, batch, x, y = {"cnn": cnn, "transformer": transformer, "lstm": lstm}[sys.argv[1]]()
    optimizer, loss = torch.optim.Adam(net.parameters(), lr=0.001), nn.MSELoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)
    for _ in range(int(sys.argv[2])):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss(net(inputs), targets).backward()
            optimizer.step()


main()
