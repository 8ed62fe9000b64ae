package data

import (
	"maps"
	"slices"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// StackDataset is torch.utils.data.StackDataset: sample i is sample i of every dataset, as a list or by name.
type StackDataset struct {
	Datasets []lighter.Dataset          `cfg:"*args,args" help:"datasets whose samples make a list"`
	Named    map[string]lighter.Dataset `cfg:"**kwargs,kwargs" help:"datasets by names of the user's, whose samples make a dict"`
}

// Build checks the lengths.
func (c StackDataset) Build(*lighter.Env) (lighter.Dataset, error) {
	s := &stacked{parts: c.Datasets}
	switch {
	case len(c.Datasets) > 0 && len(c.Named) > 0:
		return nil, lighter.FieldError("*args", "Supported either ``tuple``- (via ``args``) or ``dict``- (via ``kwargs``) like input/output, but both types are given.")
	case len(c.Named) > 0:
		s.names = slices.Sorted(maps.Keys(c.Named))
		for _, name := range s.names {
			s.parts = append(s.parts, c.Named[name])
		}
	case len(c.Datasets) == 0:
		return nil, lighter.FieldError("*args", "At least one dataset should be passed")
	}
	inMemory := true
	for i, part := range s.parts {
		if part.Len() != s.parts[0].Len() {
			field := "*args"
			if s.names != nil {
				field = s.names[i]
			}
			return nil, lighter.FieldError(field, "Size mismatch between datasets: %s has %d samples, %s has %d", s.name(0), s.parts[0].Len(), s.name(i), part.Len())
		}
		if _, ok := part.(lighter.Gatherer); !ok {
			inMemory = false
		}
	}
	if inMemory {
		return &gatheredStack{s}, nil
	}
	return s, nil
}

type stacked struct {
	parts []lighter.Dataset
	names []string // of the parts, nil for a list
}

// name is a part's, for messages.
func (s *stacked) name(p int) string {
	if s.names != nil {
		return s.names[p]
	}
	return "dataset " + strconv.Itoa(p)
}

// Len is the number of samples.
func (s *stacked) Len() int { return s.parts[0].Len() }

// together is a list or a dict of what each part gives.
func (s *stacked) together(of func(part lighter.Dataset) (lighter.Value, error)) (lighter.Value, error) {
	all := make(lighter.List, len(s.parts))
	for p, part := range s.parts {
		var err error
		if all[p], err = of(part); err != nil {
			return nil, err
		}
	}
	if s.names == nil {
		return all, nil
	}
	d := make(lighter.Dict, len(all))
	for p, name := range s.names {
		d[name] = all[p]
	}
	return d, nil
}

// Item gives sample i of every part.
func (s *stacked) Item(i int) (lighter.Value, error) {
	return s.together(func(part lighter.Dataset) (lighter.Value, error) { return part.Item(i) })
}

// Draw implements [lighter.Drawer].
func (s *stacked) Draw(i int, r lighter.Rand) (lighter.Value, error) {
	return s.together(func(part lighter.Dataset) (lighter.Value, error) { return drawSample(part, i, r) })
}

// Locate implements [lighter.Locator] with the first part that can.
func (s *stacked) Locate(i int) string {
	for _, part := range s.parts {
		if place := locate(part, i); place != "" {
			return place
		}
	}
	return ""
}

// gatheredStack is a stack of datasets in memory.
type gatheredStack struct{ *stacked }

// Gather implements [lighter.Gatherer].
func (s *gatheredStack) Gather(index tensor.Tensor) lighter.Value {
	batch, _ := s.together(func(part lighter.Dataset) (lighter.Value, error) {
		return part.(lighter.Gatherer).Gather(index), nil
	})
	return batch
}

var (
	_ lighter.Drawer   = (*stacked)(nil)
	_ lighter.Locator  = (*stacked)(nil)
	_ lighter.Gatherer = (*gatheredStack)(nil)
)

func init() {
	registry.Register[lighter.Dataset]("torch.utils.data.StackDataset", StackDataset{}, "torch.utils.data.dataset.StackDataset")
}
