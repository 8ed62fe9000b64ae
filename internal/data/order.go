package data

import (
	"github.com/lighter-go/lighter/tensor"
)

// order is the order of one epoch's samples.
type order struct {
	batches   *Batches
	count     int           // of batches
	ahead     int           // batches asked for before they are needed
	index     tensor.Tensor // kept, int64 of shape [Len]; the zero value means 0, 1, 2...
	drawn     bool
	exhausted bool
}

// ask says that n batches have been asked for so far. The first draws the order; the one that needs more samples than
// there are exhausts the sampler.
func (o *order) ask(n int) {
	if !o.drawn {
		s := tensor.Open()
		defer s.Close()
		if t := o.batches.sampler.Order(); t.Defined() {
			o.index = t.Keep()
		}
		o.drawn = true
	}
	if !o.exhausted && o.batches.ends == nil && n*o.batches.size > o.batches.sampler.Len() {
		o.exhausted = true
		if e, ok := o.batches.sampler.(exhauster); ok {
			e.exhausted()
		}
	}
}

// next says that batch b is wanted and gives its place in the order; ok is false after the last batch.
func (o *order) next(b int) (start, n int, ok bool) {
	o.ask(b + 1 + o.ahead)
	if b >= o.count {
		return 0, 0, false
	}
	start, end := o.batches.bounds(b)
	return start, end - start, true
}

func (o *order) inOrder() bool { return o.index == tensor.Tensor{} }

// list is the whole order on the host.
func (o *order) list() []int64 {
	if !o.inOrder() {
		return tensor.Values[int64](o.index)
	}
	all := make([]int64, o.batches.sampler.Len())
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func (o *order) free() {
	o.index.Free()
	o.index = tensor.Tensor{}
}
