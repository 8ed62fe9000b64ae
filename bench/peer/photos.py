"""What a loop over photos costs in PyTorch, with the same small network as ../photos.yaml: photos.py WORKERS EPOCHS."""

import sys

from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def main():
    change = transforms.Compose([
        transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])
    workers, epochs = int(sys.argv[1]), int(sys.argv[2])
    loader = DataLoader(datasets.ImageFolder("photos", change), batch_size=64, shuffle=True, num_workers=workers, persistent_workers=True)
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))
    optimizer, loss = optim.SGD(net.parameters(), lr=0.001), nn.CrossEntropyLoss()
    for _ in range(epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss(net(inputs), targets).backward()
            optimizer.step()


if __name__ == "__main__":
    main()
