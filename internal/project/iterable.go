package project

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
)

// Iterable is a torch.utils.data.IterableDataset of user code: next(self, i) gives sample i of an epoch, or None at its end.
type Iterable struct {
	members
	class string
	next  *expr.Function
}

// sizedIterable is one with a length(self).
type sizedIterable struct {
	*Iterable
	n int
}

// Len is the number of samples.
func (d *sizedIterable) Len() int { return d.n }

func newIterable(s *session, args []any, kwargs *expr.Dict) (any, error) {
	d := &Iterable{class: s.className("torch.utils.data.IterableDataset")}
	if err := s.fill(d, "torch.utils.data.IterableDataset", args, kwargs); err != nil {
		return nil, err
	}
	if d.next = d.either("next", "__next__"); d.next == nil {
		return nil, fmt.Errorf("torch.utils.data.IterableDataset() needs the function next(self, i), which gives sample i or, at the end, None")
	}
	d.freeze()
	length := d.either("length", "__len__")
	if length == nil {
		return d, nil
	}
	v, err := length.Call([]any{d}, nil)
	n, ok := v.(int64)
	if err == nil && (!ok || n < 0) {
		err = fmt.Errorf("%s: length() must return an int >= 0, got %v", d.TypeName(), v)
	}
	return &sizedIterable{d, int(n)}, err
}

func (d *Iterable) held() *members { return &d.members }

// TypeName is the class's name.
func (d *Iterable) TypeName() string { return lastPart(d.class) }

// Stream begins an epoch.
func (d *Iterable) Stream(r lighter.Rand) (lighter.Stream, error) {
	return &userStream{d: d, r: r}, nil
}

// userStream is an epoch of an Iterable. Only making a sample tells whether there is one.
type userStream struct {
	d *Iterable
	r lighter.Rand
	i int
}

// made is a sample that waits to be taken; its tensors are kept.
type made struct {
	value lighter.Value
	taken *atomic.Bool
}

// Next makes the next sample.
func (s *userStream) Next() (p lighter.Pending, ok bool, err error) {
	scope := tensor.Open()
	defer scope.Close()
	v, err := draw.Call(s.r, s.d.next.Call, s.d, int64(s.i))
	if err != nil {
		return p, false, &lighter.DataError{Err: fmt.Errorf("%s, sample %d: %w", s.d.TypeName(), s.i, s.d.blame(err))}
	}
	if v == nil {
		return p, false, nil
	}
	var kept []tensor.Tensor
	m := &made{taken: &atomic.Bool{}}
	m.value = lighter.MapTensors(v, func(t tensor.Tensor) tensor.Tensor {
		k := t.Keep()
		kept = append(kept, k)
		return k
	})
	runtime.AddCleanup(m, func(taken *atomic.Bool) { // of a sample that a run that goes on has passed over
		if !taken.Load() {
			for _, t := range kept {
				t.Free()
			}
		}
	}, m.taken)
	s.i++
	return lighter.Pending{Where: fmt.Sprintf("%s, sample %d", s.d.TypeName(), s.i-1), Make: func(lighter.Rand) (lighter.Value, error) {
		m.taken.Store(true)
		return lighter.MapTensors(m.value, tensor.Tensor.Adopt), nil
	}}, true, nil
}

// Close ends the epoch.
func (s *userStream) Close() error { return nil }
