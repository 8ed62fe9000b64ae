package data

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// InMemory is the dataset whose sample i is row i of every column, made by one gather a tensor and batch. The columns, one at
// least, have as many rows each and live as long as the dataset.
func InMemory(columns []tensor.Tensor) lighter.Dataset {
	return &table{columns: columns, n: int(columns[0].Size(0))}
}
