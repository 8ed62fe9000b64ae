package lighter

import "github.com/lighter-go/lighter/tensor"

// Transform changes a sample, or a part of it, before it is collated: torchvision.transforms. It is used by several threads at
// once and keeps nothing from one call to the next.
type Transform interface {
	// Apply gives the changed value, its tensors owned by the innermost scope. Random numbers come from r only.
	Apply(v Value, r Rand) (Value, error)
}

// Rand is where transforms draw, by PyTorch's functions: from the default generator, in their order, or, in a loader with
// workers, from numbers of the sample's own.
type Rand interface {
	// Uniform is torch.empty(1).uniform_(low, high).item(), a float32.
	Uniform(low, high float64) float64
	// Int is torch.randint(low, high, (1,)).item().
	Int(low, high int64) int64
	// Perm is torch.randperm(n).
	Perm(n int) []int64
	// Choice is torch.multinomial(weights, 1).item().
	Choice(weights []float64) int
	// Dirichlet is torch._sample_dirichlet(alpha).
	Dirichlet(alpha []float64) []float64
	// UniformTensor is torch.rand(shape), NormalTensor torch.randn(shape), both float32.
	UniformTensor(shape ...int64) tensor.Tensor
	NormalTensor(shape ...int64) tensor.Tensor
}

// Drawer is a Dataset whose samples are drawn: it makes sample i with random numbers of r. Item draws from the default
// generator.
type Drawer interface {
	Draw(i int, r Rand) (Value, error)
}

// Batcher is a Dataset that makes a batch at once, equal to its samples collated. rand gives what sample k of the batch
// draws from.
type Batcher interface {
	// Batch gives ok false, and has drawn nothing, where the samples must be made one by one.
	Batch(index []int64, rand func(k int) Rand) (batch Value, ok bool, err error)
}
