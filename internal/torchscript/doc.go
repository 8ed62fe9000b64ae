// Package torchscript holds torch.jit.load: networks that a PyTorch program scripted or traced and saved with their code.
package torchscript
