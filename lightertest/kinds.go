package lightertest

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// module: one takes over the other's state, and then both do the same in evaluation mode.
func module(b *bench) {
	tensor.ManualSeed(1)
	first, ok := buildAs[lighter.Module](b)
	if !ok {
		return
	}
	tensor.ManualSeed(2)
	second := b.build(nil).(lighter.Module)
	names := map[string]bool{}
	state := map[string]tensor.Tensor{}
	for _, n := range first.Tree().State() {
		if names[n.Name] {
			b.Errorf("two parameters or buffers are named %q", n.Name)
		}
		names[n.Name], state[n.Name] = true, n.Value
	}
	if err := second.Tree().LoadState(state, true); err != nil {
		b.Errorf("another one does not take over its state: %v", err)
		return
	}
	for _, n := range second.Tree().State() {
		if !Equal(n.Value, state[n.Name]) {
			b.Errorf("%s is another after the state was taken over", n.Name)
		}
	}
	wrongInput(b, first)
	if b.c.Input == nil {
		return
	}
	for _, m := range []lighter.Module{first, second} {
		m.Tree().SetTraining(false)
	}
	if x, y := first.Forward(b.c.Input()...), second.Forward(b.c.Input()...); !Equal(x, y) {
		b.Errorf("with the same state and input two give different results: %s and %s", shown(x), shown(y))
	}
	for _, m := range []lighter.Module{first, second} {
		m.Tree().SetTraining(true)
	}
	first.Forward(b.c.Input()...)
}

// wrongInput: what no module takes ends in an operation's error, which the trainer shows with the module's place.
func wrongInput(b *bench, m lighter.Module) {
	for what, in := range map[string][]lighter.Value{"no argument": nil, "a value of no known type": {struct{}{}}} {
		func() {
			defer func() {
				r := recover()
				if err, ok := r.(error); r != nil && (!ok || !errors.As(err, new(*tensor.Error))) {
					b.Errorf("Forward with %s panics: %v; tensor.Fail or lighter.TensorArg say what is wrong", what, r)
				}
			}()
			m.Forward(in...)
		}()
	}
}

// metric: Reset, batches that come otherwise, and a checkpoint in between change nothing.
func metric(b *bench) {
	m, ok := buildAs[lighter.Metric](b)
	if !ok {
		return
	}
	if m.Name() == "" {
		b.Error("Name is empty: its values are logged under it")
	}
	if b.c.Batches == nil {
		return
	}
	batches := b.c.Batches()
	gather := func(m lighter.Metric, batches [][2]lighter.Value) lighter.Value {
		for _, x := range batches {
			m.Update(x[0], x[1])
		}
		return m.Compute()
	}
	m.Update(batches[0][0], batches[0][1])
	if x, y := m.Batch(), m.Compute(); !Equal(x, y) {
		b.Errorf("after one batch Batch is %s and Compute %s", shown(x), shown(y))
	}
	m.Reset()
	want := gather(m, batches)
	if again := m.Compute(); !Equal(again, want) {
		b.Errorf("Compute gives %s and then %s", shown(want), shown(again))
	}
	m.Reset()
	if again := gather(m, batches); !Equal(again, want) {
		b.Errorf("after a Reset the same batches give %s, not %s", shown(again), shown(want))
	}
	before, after := b.build(nil).(lighter.Metric), b.build(nil).(lighter.Metric)
	gather(before, batches[:1])
	gather(after, batches[len(batches)-1:]) // what loading must replace
	if err := after.LoadStateDict(before.StateDict()); err != nil {
		b.Errorf("LoadStateDict of another's StateDict: %v", err)
	} else if got := gather(after, batches[1:]); !Equal(got, want) {
		b.Errorf("with a checkpoint after the first batch the value is %s, not %s", shown(got), shown(want))
	}
	if b.c.Ordered {
		return
	}
	whole := b.build(nil).(lighter.Metric)
	if got := gather(whole, [][2]lighter.Value{{joined(batches, 0), joined(batches, 1)}}); !near(got, want) {
		b.Errorf("as one batch the value is %s, in %d batches %s", shown(got), len(batches), shown(want))
	}
}

// joined is one side of all batches as one.
func joined(batches [][2]lighter.Value, side int) lighter.Value {
	var parts []tensor.Tensor
	for _, x := range batches {
		t, ok := x[side].(tensor.Tensor)
		if !ok {
			return batches[0][side]
		}
		parts = append(parts, t)
	}
	return tensor.Cat(parts, 0)
}

// close compares values that were summed in another order.
func near(a, b lighter.Value) bool {
	x, ok := a.(tensor.Tensor)
	y, other := b.(tensor.Tensor)
	if d, isDict := a.(lighter.Dict); isDict {
		e, _ := b.(lighter.Dict)
		for k := range d {
			if !near(d[k], e[k]) {
				return false
			}
		}
		return len(d) == len(e)
	}
	if !ok || !other || !x.SameShape(y.Shape()) {
		return Equal(a, b)
	}
	p, q := tensor.Values[float64](x), tensor.Values[float64](y)
	for i := range p {
		if !(math.Abs(p[i]-q[i]) <= 1e-5*max(1, math.Abs(q[i]))) && !(p[i] != p[i] && q[i] != q[i]) {
			return false
		}
	}
	return true
}

// most is how many items of a data set are looked at.
const most = 32

// dataset: every item is there, and the same to all who ask at once.
func dataset(b *bench) {
	d, ok := buildAs[lighter.Dataset](b)
	if !ok {
		return
	}
	n := d.Len()
	if n < 0 {
		b.Fatalf("Len is %d", n)
	}
	items := make([]lighter.Value, min(n, most))
	for i := range items {
		item, err := d.Item(i)
		if err != nil {
			b.Fatalf("item %d of %d: %v", i, n, err)
		}
		items[i] = item
	}
	if n > most {
		if _, err := d.Item(n - 1); err != nil {
			b.Errorf("item %d of %d: %v", n-1, n, err)
		}
	}
	if _, draws := d.(lighter.Drawer); draws {
		return
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			defer tensor.Open().Close()
			for i := range items {
				if item, err := d.Item(i); err != nil || !Equal(item, items[i]) {
					b.Errorf("asked by several at once item %d is %s (%v), alone %s", i, shown(item), err, shown(items[i]))
					return
				}
			}
		})
	}
	all.Wait()
}

// panicked is a panic that is no operation's error.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func isPanic(err error) bool { return errors.As(err, new(panicked)) }

// caught runs f and gives its error, or its panic.
func caught(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked{r}
			if e, ok := r.(error); ok && errors.As(e, new(*tensor.Error)) {
				err = e
			}
		}
	}()
	return f()
}

// transform: the same draws give the same, and the input stays.
func transform(b *bench) {
	t, ok := buildAs[lighter.Transform](b)
	if !ok || b.c.Input == nil {
		return
	}
	in := b.c.Input()
	if len(in) != 1 {
		b.Fatalf("Input has %d values: a transform takes one", len(in))
	}
	var got [2]lighter.Value
	for i := range got {
		tensor.ManualSeed(uint64(i)) // it must not be drawn from
		var err error
		if got[i], err = t.Apply(in[0], Rand(7)); err != nil {
			b.Fatalf("Apply: %v", err)
		}
	}
	if !Equal(got[0], got[1]) {
		b.Errorf("the same numbers of Rand give %s and %s", shown(got[0]), shown(got[1]))
	}
	if !Equal(in[0], b.c.Input()[0]) {
		b.Error("Apply changes its input")
	}
	if err := caught(func() error { _, err := t.Apply(struct{}{}, Rand(7)); return err }); isPanic(err) {
		b.Errorf("Apply of a value of no known type: %v", err)
	}
}

// callback: the state of one is taken over by another.
func callback(b *bench) {
	c, ok := b.build(nil).(lighter.Stateful)
	if !ok {
		return
	}
	if c.StateKey() == "" {
		b.Error("StateKey is empty: a checkpoint holds the state under it")
	}
	state := c.StateDict()
	other := b.build(nil).(lighter.Stateful)
	if err := other.LoadStateDict(state); err != nil {
		b.Errorf("LoadStateDict of another's StateDict: %v", err)
	} else if got := other.StateDict(); !Equal(got, state) {
		b.Errorf("the state %s is taken over as %s", shown(state), shown(got))
	}
}

// logger: it takes what a run gives it.
func logger(b *bench) {
	l, ok := buildAs[lighter.Logger](b)
	if !ok {
		return
	}
	err := l.Open()
	for step := range int64(3) {
		err = errors.Join(err, l.LogMetrics([]lighter.Scalar{{Name: "train/loss/step", Value: 1 / float64(step+1)}}, step))
	}
	err = errors.Join(err, l.LogHyperparams([]byte("trainer: {}\n")))
	l.Flush()
	if err = errors.Join(err, l.Finalize("success")); err != nil {
		b.Errorf("a short run: %v", err)
	}
}
