package data

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// combined is several training loaders: a batch is the list of theirs, and a loader that is at its end begins again until all
// have been (PyTorch Lightning's CombinedLoader in the mode max_size_cycle).
type combined struct {
	loaders loaders
	// again holds, for each loader, the default generator's state every time it began again in the epoch under way. That
	// happens amid what the training draws, so that no count of batches leads there.
	again [][]tensor.Tensor // kept
}

// Len is the length of the longest loader, -1 where one does not know its own.
func (c *combined) Len() int {
	longest := 0
	for _, l := range c.loaders {
		n := l.Len()
		if n < 0 {
			return -1
		}
		longest = max(longest, n)
	}
	return longest
}

// Iter begins an epoch of every loader. With from > 0 each goes on where it was: a loader that had begun again does so from the
// state that LoadStateDict brought.
func (c *combined) Iter(from int) (_ lighter.Iterator, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	before := c.again
	defer func() { free(before) }()
	c.again = make([][]tensor.Tensor, len(c.loaders))
	it := &combinedIterator{combined: c, consumed: make([]bool, len(c.loaders))}
	defer func() {
		if err != nil {
			it.Close()
		}
	}()
	own := make([]lighter.Dict, len(c.loaders))
	for i, l := range c.loaders {
		if st, ok := l.(lighter.LoaderState); ok && from > 0 {
			own[i] = st.StateDict(false)
		}
		one, err := l.Iter(0)
		if err != nil {
			return nil, err
		}
		it.iterators = append(it.iterators, one)
	}
	if from == 0 {
		return it, nil
	}
	for i, one := range it.iterators { // in the order of the first batch's draws
		s, ok := one.(seeker)
		if !ok {
			return nil, fmt.Errorf("dataloader %d, a %T, can't go on within an epoch", i, one)
		}
		at := from
		if n := c.loaders[i].Len(); n >= 0 {
			at = min(at, n)
		}
		if it.iterators[i], err = s.seek(at); err != nil {
			return nil, err
		}
	}
	for i, l := range c.loaders {
		n := l.Len()
		if n < 0 {
			if i < len(before) && len(before[i]) > 0 {
				return nil, fmt.Errorf("dataloader %d does not know its length and had begun again: it can't go on within an epoch", i)
			}
			continue
		}
		times := (from - 1) / n
		if times == 0 {
			continue
		}
		if i >= len(before) || len(before[i]) < times {
			return nil, fmt.Errorf("dataloader %d had begun again %d times, and the checkpoint does not hold from where", i, times)
		}
		c.again[i], before[i] = before[i], nil
		if err := it.restart(i, own[i], c.again[i][times-1], from-times*n); err != nil {
			return nil, err
		}
	}
	return it, nil
}

// seeker is an iterator that can go on at a later batch: it draws what the batches before drew to choose their samples.
// It gives the iterator to go on with, which takes its place.
type seeker interface {
	seek(at int) (lighter.Iterator, error)
}

// restart puts in place of loader i's iterator the one that the loader began, from the default generator's state rng.
func (it *combinedIterator) restart(i int, own lighter.Dict, rng tensor.Tensor, at int) error {
	it.consumed[i] = true
	it.iterators[i].Close()
	if st, ok := it.loaders[i].(lighter.LoaderState); ok && own != nil {
		if err := st.LoadStateDict(own); err != nil {
			return err
		}
	}
	was := tensor.RNGState(tensor.Device{})
	tensor.SetRNGState(tensor.Device{}, rng)
	defer tensor.SetRNGState(tensor.Device{}, was)
	next, err := it.loaders[i].Iter(at)
	if err == nil {
		it.iterators[i] = next
	}
	return err
}

func free(states [][]tensor.Tensor) {
	for _, some := range states {
		for _, t := range some {
			t.Free()
		}
	}
}

// Close frees the states.
func (c *combined) Close() error {
	free(c.again)
	c.again = nil
	return nil
}

// InOrder implements [lighter.InOrder].
func (c *combined) InOrder() (_ lighter.Loader, changed bool) {
	ordered := &combined{}
	for _, l := range c.loaders {
		if o, ok := l.(lighter.InOrder); ok {
			one, did := o.InOrder()
			l, changed = one, changed || did
		}
		ordered.loaders = append(ordered.loaders, l)
	}
	return ordered, changed
}

// StateDict implements [lighter.LoaderState].
func (c *combined) StateDict(within bool) lighter.Dict {
	d := lighter.Dict{}
	for i, l := range c.loaders {
		one := lighter.Dict{}
		if s, ok := l.(lighter.LoaderState); ok {
			if state := s.StateDict(within); state != nil {
				one["loader"] = state
			}
		}
		if within && i < len(c.again) && len(c.again[i]) > 0 {
			states := lighter.List{}
			for _, t := range c.again[i] {
				states = append(states, t)
			}
			one["again"] = states
		}
		if len(one) > 0 {
			d[strconv.Itoa(i)] = one
		}
	}
	if len(d) == 0 {
		return nil
	}
	return d
}

// LoadStateDict implements [lighter.LoaderState].
func (c *combined) LoadStateDict(d lighter.Dict) error {
	c.Close()
	c.again = make([][]tensor.Tensor, len(c.loaders))
	for i, l := range c.loaders {
		one, _ := d[strconv.Itoa(i)].(lighter.Dict)
		if state, ok := one["loader"].(lighter.Dict); ok {
			s, ok := l.(lighter.LoaderState)
			if !ok {
				return fmt.Errorf("it holds a state of dataloader %d, which has none here", i)
			}
			if err := s.LoadStateDict(state); err != nil {
				return fmt.Errorf("dataloader %d: %w", i, err)
			}
		}
		states, _ := one["again"].(lighter.List)
		for _, v := range states {
			t, ok := v.(tensor.Tensor)
			if !ok {
				return fmt.Errorf("the state of dataloader %d holds a %s, not a generator's state", i, lighter.TypeName(v))
			}
			c.again[i] = append(c.again[i], t.Keep())
		}
	}
	return nil
}

type combinedIterator struct {
	*combined
	iterators []lighter.Iterator
	consumed  []bool // which loaders have been at their end
}

// Next gives the next batch of every loader.
func (it *combinedIterator) Next() (lighter.Value, bool, error) {
	batch := make(lighter.List, len(it.iterators))
	for i := range it.iterators {
		v, ok, err := it.iterators[i].Next()
		if err == nil && !ok {
			it.consumed[i] = true
			if !slices.Contains(it.consumed, false) {
				return nil, false, nil
			}
			if v, ok, err = it.beginAgain(i); err == nil && !ok {
				return nil, false, nil // it is empty
			}
		}
		if err != nil {
			return nil, false, fmt.Errorf("dataloader %d: %w", i, err)
		}
		batch[i] = v
	}
	return batch, true, nil
}

func (it *combinedIterator) beginAgain(i int) (v lighter.Value, ok bool, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	it.again[i] = append(it.again[i], tensor.RNGState(tensor.Device{}).Keep())
	s.Close()
	it.iterators[i].Close()
	next, err := it.loaders[i].Iter(0)
	if err != nil {
		return nil, false, err
	}
	it.iterators[i] = next
	return next.Next()
}

// Close ends every loader's epoch.
func (it *combinedIterator) Close() {
	for _, one := range it.iterators {
		one.Close()
	}
}

var (
	_ lighter.LoaderState = (*combined)(nil)
	_ lighter.InOrder     = (*combined)(nil)
)
