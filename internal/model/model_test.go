package model

import (
	"testing"

	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

func TestEveryLayerKeepsTheContract(t *testing.T) {
	tensortest.Scope(t)
	type args = registrytest.Args
	examples := map[string]args{
		"torch.nn.Linear":            {"in_features": int64(3), "out_features": int64(2)},
		"torch.nn.Conv2d":            {"in_channels": int64(3), "out_channels": int64(2), "kernel_size": []any{int64(3), int64(1)}},
		"torch.nn.BatchNorm1d":       {"num_features": int64(3)},
		"torch.nn.BatchNorm2d":       {"num_features": int64(3)},
		"torch.nn.BatchNorm3d":       {"num_features": int64(3)},
		"torch.nn.LayerNorm":         {"normalized_shape": int64(3)},
		"torch.nn.MaxPool2d":         {"kernel_size": int64(2)},
		"torch.nn.AvgPool2d":         {"kernel_size": int64(2)},
		"torch.nn.AdaptiveAvgPool2d": {"output_size": []any{nil, int64(1)}},
		"torch.nn.Embedding":         {"num_embeddings": int64(3), "embedding_dim": int64(2)},
	}
	for _, class := range []string{
		"Sequential", "Identity", "Flatten", "Dropout", "Dropout2d", "ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "Tanh",
		"Sigmoid", "LogSigmoid", "Softmax", "LogSoftmax", "LeakyReLU", "ELU", "GELU", "Softplus", "PReLU",
		"CrossEntropyLoss", "NLLLoss", "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss",
	} {
		examples["torch.nn."+class] = args{}
	}
	registrytest.Contract(t, "torch.nn.", examples)
}
