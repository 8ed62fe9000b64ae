package metric

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// accumulator gathers states over the batches since Reset, and a number of observations that the shapes tell. What the last
// batch gave is kept for Batch, as long as the scope that Update was called in is open.
type accumulator struct {
	key    string // accumulators of one key gather the same; "" for one of its own
	states []*state
	n      int64
	last   []tensor.Tensor
	lastN  int64
	onCPU  bool // states that grow are kept there

	constants []tensor.Tensor // what update and the value need beside the states, on their device

	// update appends what a batch adds to each state, without history, and gives its number of observations.
	update func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64)
}

// state is one thing that is gathered. value belongs to the scope of the build: the sum itself, or what a state of another
// kind begins with. kept is what such a state holds, freed by Reset and Close.
type state struct {
	kind  kind
	value tensor.Tensor
	kept  []tensor.Tensor
}

// kind is how a state takes in what a batch gives.
type kind int

const (
	summed  kind = iota // added in place: the state's shape and type stay
	added               // a sum that takes on the parts' shape and type
	largest             // the largest
	least               // the least
	joined              // along the first dimension, one tensor a batch
)

// sums are states that are added in place.
func sums(values ...tensor.Tensor) []*state {
	states := make([]*state, len(values))
	for i, v := range values {
		states[i] = &state{value: v}
	}
	return states
}

// joins are n states that grow with every batch.
func joins(n int) []*state {
	states := make([]*state, n)
	for i := range states {
		states[i] = &state{kind: joined}
	}
	return states
}

// fold takes a part into what there is.
func (s *state) fold(old, part tensor.Tensor) tensor.Tensor {
	switch s.kind {
	case largest:
		return tensor.CallOne("maximum", old, part)
	case least:
		return tensor.CallOne("minimum", old, part)
	}
	return old.Add(part)
}

func (s *state) take(part tensor.Tensor, onCPU bool) {
	switch s.kind {
	case summed:
		s.value.AddInPlace(part, 1)
	case joined:
		if onCPU {
			part = part.To(tensor.Device{}, part.DType())
		}
		s.kept = append(s.kept, part.Keep())
	default:
		folded := s.fold(s.current(), part).Keep()
		s.free()
		s.kept = append(s.kept, folded)
	}
}

// current is what a state that does not grow holds.
func (s *state) current() tensor.Tensor {
	if len(s.kept) > 0 {
		return s.kept[0]
	}
	return s.value
}

func (s *state) free() {
	for _, t := range s.kept {
		t.Free()
	}
	s.kept = nil
}

// Update implements lighter.Metric.
func (a *accumulator) Update(pred, target lighter.Value) {
	a.last, a.lastN = a.update(a.last[:0], pred, target)
	for i, part := range a.last {
		a.states[i].take(part, a.onCPU)
	}
	a.n += a.lastN
}

// all is what was gathered since Reset.
func (a *accumulator) all(name string) ([]tensor.Tensor, int64) {
	values := make([]tensor.Tensor, len(a.states))
	for i, s := range a.states {
		switch {
		case s.kind != joined:
			values[i] = s.current()
		case len(s.kept) == 0:
			tensor.Fail(name, "No samples to concatenate")
		default:
			values[i] = s.joined()
		}
	}
	return values, a.n
}

// joined makes one tensor of those kept, and keeps that.
func (s *state) joined() tensor.Tensor {
	if n := len(s.kept); n > 1 {
		parts, device := make([]tensor.Tensor, n), s.kept[n-1].Device() // a checkpoint's part lies on the CPU
		for i, t := range s.kept {
			parts[i] = t.To(device, t.DType())
		}
		all := tensor.Cat(parts, 0).Keep()
		s.free()
		s.kept = append(s.kept, all)
	}
	return s.kept[0]
}

// ofBatch is what the last batch alone would have gathered.
func (a *accumulator) ofBatch() ([]tensor.Tensor, int64) {
	if len(a.last) < len(a.states) {
		return a.all("")
	}
	values := make([]tensor.Tensor, len(a.last))
	for i, part := range a.last {
		switch s := a.states[i]; s.kind {
		case summed:
			values[i] = part.To(s.value.Device(), s.value.DType())
		case joined:
			values[i] = part
		default:
			values[i] = s.fold(s.value, part)
		}
	}
	return values, a.lastN
}

// Reset implements lighter.Metric.
func (a *accumulator) Reset() {
	for _, s := range a.states {
		if s.kind == summed {
			s.value.Fill(0)
		}
		s.free()
	}
	a.n, a.last, a.lastN = 0, nil, 0
}

// Close frees what was gathered.
func (a *accumulator) Close() error {
	for _, s := range a.states {
		s.free()
	}
	return nil
}

// States implements lighter.Metric.
func (a *accumulator) States() []tensor.Tensor {
	all := slices.Clone(a.constants)
	for _, s := range a.states {
		if s.value.Defined() {
			all = append(all, s.value)
		}
		all = append(all, s.kept...)
	}
	return all
}

// StateDict implements lighter.Metric.
func (a *accumulator) StateDict() lighter.Dict {
	states := make(lighter.List, len(a.states))
	for i, s := range a.states {
		switch {
		case s.kind != joined:
			states[i] = s.current()
		case len(s.kept) > 0:
			states[i] = s.joined()
		}
	}
	return lighter.Dict{"states": states, "n": a.n}
}

// LoadStateDict implements lighter.Metric.
func (a *accumulator) LoadStateDict(d lighter.Dict) error {
	states, _ := d["states"].(lighter.List)
	n, ok := d["n"].(int64)
	if !ok || len(states) != len(a.states) {
		return fmt.Errorf("the state is not that of this metric")
	}
	for i, s := range a.states {
		t, ok := states[i].(tensor.Tensor)
		if !ok && (s.kind != joined || states[i] != nil) || s.kind == summed && !t.SameShape(s.value.Shape()) {
			return fmt.Errorf("state %d is not that of this metric", i)
		}
	}
	for i, s := range a.states {
		t, _ := states[i].(tensor.Tensor)
		s.free()
		switch {
		case s.kind == summed:
			s.value.CopyInPlace(t)
		case t.Defined():
			if s.value.Defined() {
				t = t.To(s.value.Device(), t.DType())
			}
			s.kept = append(s.kept, t.Keep())
		}
	}
	a.n = n
	return nil
}
