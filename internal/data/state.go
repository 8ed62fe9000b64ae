package data

import (
	"errors"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// generators are those that the loader and its sampler have for themselves.
func (l *loader) generators() []*Generator {
	var own []*Generator
	if l.generator != nil {
		own = append(own, l.generator)
	}
	if l.batches != nil {
		if s, ok := l.batches.sampler.(generating); ok && s.ownGenerator() != nil && !slices.Contains(own, s.ownGenerator()) {
			own = append(own, s.ownGenerator())
		}
	}
	return own
}

// StateDict implements [lighter.LoaderState]: the states of the loader's own generators, as they were when the epoch under way
// began or as they are.
func (l *loader) StateDict(within bool) lighter.Dict {
	states := lighter.List{}
	for i, g := range l.generators() {
		state := g.state
		if within && i < len(l.began) {
			state = l.began[i]
		}
		states = append(states, tensor.FromSlice(state, int64(len(state))))
	}
	seeded, epoch := l.seeded && !within || l.seededBefore && within, l.epoch
	if within {
		epoch-- // the epoch under way begins once more
	}
	taken := lighter.List{}
	if within && l.current != nil && l.current.given != nil {
		for _, n := range l.current.given.more {
			taken = append(taken, int64(n))
		}
	}
	if len(states) == 0 && !seeded && len(taken) == 0 {
		return nil
	}
	d := lighter.Dict{"generators": states, "seeded": seeded, "base_seed": l.base, "epoch": epoch}
	if len(taken) > 0 {
		d["taken"] = taken
	}
	return d
}

// LoadStateDict implements [lighter.LoaderState].
func (l *loader) LoadStateDict(d lighter.Dict) error {
	states, _ := d["generators"].(lighter.List)
	own := l.generators()
	if len(states) != len(own) {
		return errors.New("its generators are not those of this configuration")
	}
	for i, v := range states {
		state, ok := v.(tensor.Tensor)
		if !ok || state.DType() != tensor.Uint8 {
			return errors.New("a generator's state is no tensor of bytes")
		}
		own[i].state = slices.Clone(state.Bytes())
	}
	l.began = nil
	l.seeded, _ = d["seeded"].(bool)
	l.base, _ = d["base_seed"].(int64)
	l.epoch, _ = d["epoch"].(int64)
	l.taken = nil
	taken, _ := d["taken"].(lighter.List)
	for _, v := range taken {
		n, ok := v.(int64)
		if !ok {
			return errors.New("a batch's number is no int")
		}
		l.taken = append(l.taken, int(n))
	}
	l.forget()
	return nil
}

// InOrder implements [lighter.InOrder].
func (l *loader) InOrder() (_ lighter.Loader, changed bool) {
	if l.batches == nil {
		return l, false
	}
	if _, ok := l.batches.sampler.(sequential); ok {
		return l, false
	}
	o := *l
	o.batches = &Batches{sampler: sequential(l.dataset.Len()), size: l.batches.size, dropLast: l.batches.dropLast}
	if l.batches.ends != nil {
		o.batches.size = l.batches.ends[0]
	}
	return &o, true
}

var (
	_ lighter.LoaderState = (*loader)(nil)
	_ lighter.InOrder     = (*loader)(nil)
	_ lighter.EpochSetter = (*loader)(nil)
)
