package scheduler

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
)

// attribute is a value of a state dict under PyTorch's name. It points at an int, float64, bool, string, *float64 (null when
// nil), []float64 or []int, or is a codec. Loading a list keeps its length.
type attribute struct {
	name  string
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

func (a attribute) load(v lighter.Value) (err error) {
	switch p := a.value.(type) {
	case *int:
		*p, err = whole(v)
	case *float64:
		*p, err = float(v)
	case *bool:
		*p, err = as[bool](v, "a bool")
	case *string:
		*p, err = as[string](v, "a str")
	case **float64:
		*p = nil
		if v != nil {
			*p = new(float64)
			**p, err = float(v)
		}
	case *[]float64:
		*p, err = items(v, len(*p), float)
	case *[]int:
		*p, err = items(v, len(*p), whole)
	case codec:
		err = p.load(v)
	}
	return err
}

func as[T any](v lighter.Value, what string) (T, error) {
	x, ok := v.(T)
	if !ok {
		return x, fmt.Errorf("must be %s, got %s", what, lighter.TypeName(v))
	}
	return x, nil
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

func items[E any](v lighter.Value, n int, item func(lighter.Value) (E, error)) ([]E, error) {
	l, err := as[lighter.List](v, "a list")
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

// intOrFloat is a number that PyTorch keeps as it was given, mostly an int.
type intOrFloat struct{ *float64 }

func (n intOrFloat) save() lighter.Value {
	if f := *n.float64; f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return *n.float64
}

func (n intOrFloat) load(v lighter.Value) (err error) {
	*n.float64, err = float(v)
	return err
}
