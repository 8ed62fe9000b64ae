package files

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/safetensors"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/internal/weights"
	"github.com/lighter-go/lighter/tensor"
)

// Safetensors is `lighter.datasets.Safetensors`: the rows of tensors in a safetensors file as samples (input, target), or (input)
// without a target.
type Safetensors struct {
	Path string `cfg:"path,required,aka=file|filename" help:"the file"`
	Arrays
}

// Doc is the reference's text.
func (Safetensors) Doc() string {
	return `Tensors that safetensors.torch.save_file or its like wrote, held in memory, by their names. The first dimension counts the samples. The
rest is as in lighter.datasets.NPY.

    dataset:
      _target_: lighter.datasets.Safetensors
      path: data/embeddings.safetensors
      input: embedding
      target: label`
}

// Validate checks what needs no file.
func (c Safetensors) Validate() error { return c.checkShapes() }

// Build reads the tensors.
func (c Safetensors) Build(*lighter.Env) (lighter.Dataset, error) {
	f, err := safetensors.Open(c.Path)
	if err != nil {
		return nil, data.Unreadable("path", err)
	}
	defer f.Close()
	return c.build(c.Path, safetensorsFile{c.Path, f.Tensors})
}

type safetensorsFile struct {
	path    string
	tensors []safetensors.Tensor
}

func (f safetensorsFile) names() []string {
	names := make([]string, len(f.tensors))
	for i, t := range f.tensors {
		names[i] = t.Name
	}
	return names
}

func (f safetensorsFile) open(name string) (arrayReader, error) {
	i := slices.IndexFunc(f.tensors, func(t safetensors.Tensor) bool { return t.Name == name })
	return safetensorsArray{f.path, f.tensors[i]}, nil
}

type safetensorsArray struct {
	path string
	t    safetensors.Tensor
}

func (a safetensorsArray) dims() []int64 { return a.t.Shape }

func (a safetensorsArray) whole() bool {
	switch a.t.DType {
	case torchfile.Uint8, torchfile.Int8, torchfile.Int16, torchfile.Int32, torchfile.Int64, torchfile.Bool:
		return true
	}
	return false
}

func (a safetensorsArray) tensor(start, stop int) (tensor.Tensor, error) {
	x, err := weights.ToTensor(a.t.Tensor)
	if err != nil {
		return x, fmt.Errorf("%s: %q: %w", a.path, a.t.Name, err)
	}
	return x.Narrow(0, int64(start), int64(stop-start)), nil
}

func init() { registry.Register[lighter.Dataset]("lighter.datasets.Safetensors", Safetensors{}) }
