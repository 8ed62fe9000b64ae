package scheduler

import (
	"fmt"
	"math"
	"slices"

	"github.com/lighter-go/lighter"
)

// attribute is a value of a state dict under PyTorch's name. It points at an int, float64, bool, string, *float64 (null when
// nil), []float64 or []int, or is a codec. Loading a list keeps its length.
type attribute struct {
	name  string
	value any
}

// onlyIf is a value that the state holds while on is true.
type onlyIf struct {
	on    *bool
	value any
}

// codec is a value with a form of its own.
type codec interface {
	save() lighter.Value
	load(v lighter.Value) error
}

func save(attributes []attribute) lighter.Dict {
	d := lighter.Dict{}
	for _, a := range attributes {
		if o, ok := a.value.(onlyIf); ok {
			if !*o.on {
				continue
			}
			a.value = o.value
		}
		switch p := a.value.(type) {
		case *int:
			d[a.name] = int64(*p)
		case *float64:
			d[a.name] = *p
		case *bool:
			d[a.name] = *p
		case *string:
			d[a.name] = *p
		case **float64:
			d[a.name] = nil
			if *p != nil {
				d[a.name] = **p
			}
		case *[]float64:
			d[a.name] = list(*p, func(f float64) any { return f })
		case *[]int:
			d[a.name] = list(*p, func(n int) any { return int64(n) })
		case codec:
			d[a.name] = p.save()
		}
	}
	return d
}

func list[E any](items []E, value func(E) any) lighter.List {
	l := make(lighter.List, len(items))
	for i, item := range items {
		l[i] = value(item)
	}
	return l
}

// load takes over what a state dict holds. As in PyTorch what it lacks stays as it is, and what is not known is left out; but
// without the first attribute it is another scheduler's.
func load(class string, d lighter.Dict, attributes []attribute) error {
	if _, ok := d[attributes[0].name]; !ok {
		return fmt.Errorf("the scheduler's state in the checkpoint holds no %q: it is not that of a %s", attributes[0].name, class)
	}
	for _, a := range attributes {
		v, ok := d[a.name]
		if !ok {
			continue
		}
		if err := a.load(v); err != nil {
			return fmt.Errorf("the scheduler's state in the checkpoint: %s of %s %w", a.name, class, err)
		}
	}
	return nil
}

// load leaves the attribute as it is when v does not fit.
func (a attribute) load(v lighter.Value) error {
	if o, ok := a.value.(onlyIf); ok {
		a.value = o.value
	}
	switch p := a.value.(type) {
	case *int:
		return assign(p, v, whole)
	case *float64:
		return assign(p, v, float)
	case *bool:
		return assign(p, v, as[bool]("a bool"))
	case *string:
		return assign(p, v, as[string]("a str"))
	case **float64:
		return assign(p, v, orNull(float))
	case *[]float64:
		return assign(p, v, items(len(*p), float))
	case *[]int:
		return assign(p, v, items(len(*p), whole))
	case codec:
		return p.load(v)
	}
	return nil
}

// reader takes a value of a state dict as a T.
type reader[T any] func(lighter.Value) (T, error)

func assign[T any](p *T, v lighter.Value, read reader[T]) error {
	x, err := read(v)
	if err == nil {
		*p = x
	}
	return err
}

func as[T any](what string) reader[T] {
	return func(v lighter.Value) (T, error) {
		x, ok := v.(T)
		if !ok {
			return x, fmt.Errorf("must be %s, got %s", what, lighter.TypeName(v))
		}
		return x, nil
	}
}

func orNull[T any](read reader[T]) reader[*T] {
	return func(v lighter.Value) (*T, error) {
		if v == nil {
			return nil, nil
		}
		x, err := read(v)
		return &x, err
	}
}

func float(v lighter.Value) (float64, error) {
	f, ok := number(v)
	if !ok {
		return 0, fmt.Errorf("must be a float, got %s", lighter.TypeName(v))
	}
	return f, nil
}

func whole(v lighter.Value) (int, error) {
	f, ok := number(v)
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, fmt.Errorf("must be an int, got %s", lighter.TypeName(v))
	}
	return int(f), nil
}

// items reads a list of n.
func items[E any](n int, item reader[E]) reader[[]E] {
	return func(v lighter.Value) ([]E, error) {
		l, err := as[lighter.List]("a list")(v)
		if err != nil {
			return nil, err
		}
		if len(l) != n {
			return nil, fmt.Errorf("has %d values, here are %d", len(l), n)
		}
		out := make([]E, n)
		for i := range l {
			if out[i], err = item(l[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// intOrFloat is a number that PyTorch keeps as it was given, mostly an int.
type intOrFloat struct{ *float64 }

func (n intOrFloat) save() lighter.Value {
	if f := *n.float64; f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return *n.float64
}

func (n intOrFloat) load(v lighter.Value) error { return assign(n.float64, v, float) }

// choice is one of a few words. what is PyTorch's word for it.
type choice struct {
	value *string
	what  string
	words []string
}

func (c choice) save() lighter.Value { return *c.value }

func (c choice) load(v lighter.Value) error {
	word, err := as[string]("a str")(v)
	if err == nil && !slices.Contains(c.words, word) {
		//lint:ignore ST1005 PyTorch's wording
		err = fmt.Errorf("is wrong: %s %s is unknown!", c.what, word)
	}
	if err == nil {
		*c.value = word
	}
	return err
}
