package data

import (
	"os"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// DistributedSampler is torch.utils.data.distributed.DistributedSampler: the part of an epoch's samples that one of several
// processes takes.
type DistributedSampler struct {
	Dataset     lighter.Dataset `cfg:"dataset,required" help:"the dataset to sample from"`
	NumReplicas *int            `cfg:"num_replicas" help:"the number of processes; when null WORLD_SIZE of the environment, else 1"`
	Rank        *int            `cfg:"rank" help:"the number of this process; when null RANK of the environment, else 0"`
	Shuffle     bool            `cfg:"shuffle" help:"an order that seed and the epoch's number give"`
	Seed        int             `cfg:"seed" help:"the same in all processes"`
	DropLast    bool            `cfg:"drop_last" help:"leave out samples for parts of one size, instead of taking some twice"`
}

// Build makes the sampler.
func (c DistributedSampler) Build(*lighter.Env) (Sampler, error) {
	replicas, err := fromEnvironment(c.NumReplicas, "num_replicas", "WORLD_SIZE", 1)
	if err != nil {
		return nil, err
	}
	rank, err := fromEnvironment(c.Rank, "rank", "RANK", 0)
	if err != nil {
		return nil, err
	}
	n := c.Dataset.Len()
	switch {
	case replicas < 1:
		return nil, lighter.FieldError("num_replicas", "must be at least 1, got %d", replicas)
	case rank >= replicas || rank < 0:
		return nil, lighter.FieldError("rank", "Invalid rank %d, rank should be in the interval [0, %d]", rank, replicas-1)
	case n == 0:
		return nil, Unreadable("dataset", errNoSamples)
	case c.DropLast && n < replicas:
		return nil, lighter.FieldError("drop_last", "leaves no sample: the dataset has %d for %d processes", n, replicas)
	}
	d := &distributed{n: n, replicas: replicas, rank: rank, seed: c.Seed, shuffle: c.Shuffle, samples: (n + replicas - 1) / replicas}
	if c.DropLast {
		d.samples = n / replicas
	}
	return d, nil
}

// fromEnvironment is an argument, or what torchrun sets in its place.
func fromEnvironment(given *int, field, name string, otherwise int) (int, error) {
	if given != nil {
		return *given, nil
	}
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, lighter.FieldError(field, "is not given, and %s=%q of the environment is no number", name, text)
	}
	return n, nil
}

type distributed struct {
	n, replicas, rank, samples int
	seed, epoch                int
	shuffle                    bool
}

// Len is the number of samples of this process.
func (d *distributed) Len() int { return d.samples }

func (d *distributed) setEpoch(n int) { d.epoch = n }

// Order takes every replicas-th sample of all from rank on, where the first ones come again at the end until the parts are of one
// size.
func (d *distributed) Order() tensor.Tensor {
	var all []int64
	if d.shuffle {
		all = tensor.Values[int64](tensor.RandPerm(int64(d.n), uint64(d.seed+d.epoch)))
	}
	own := make([]int64, d.samples)
	for i := range own {
		at := (d.rank + i*d.replicas) % d.n
		if own[i] = int64(at); all != nil {
			own[i] = all[at]
		}
	}
	return listed(own).Order()
}

var _ epochal = (*distributed)(nil)

func init() {
	registry.Register[Sampler]("torch.utils.data.distributed.DistributedSampler", DistributedSampler{Shuffle: true}, "torch.utils.data.DistributedSampler")
}
