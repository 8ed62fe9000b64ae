package torchfile

import "fmt"

// settler turns what the machine built into the package's values: once for
// each shared container, refusing cycles, deep nesting, and structures that are
// small in the file and huge when walked.
type settler struct {
	m    *machine
	done map[any]settled // *node, *Dict and *object by address
}

type settled struct {
	value any
	size  int // the values in it, counted each time they are met in a walk
	open  bool
}

func newSettler(m *machine) *settler {
	return &settler{m: m, done: map[any]settled{}}
}

func (s *settler) settle(v any, depth int) (any, error) {
	switch v := v.(type) {
	case *node, *Dict, *object:
		if depth > maxDepth {
			return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
		}
		if r, ok := s.done[v]; ok {
			if r.open {
				return nil, fmt.Errorf("a value holds itself")
			}
			return r.value, s.m.spend(r.size)
		}
		before := s.m.work
		s.done[v] = settled{open: true}
		out, err := s.container(v, depth)
		s.done[v] = settled{value: out, size: s.m.work - before}
		return out, err
	case *class:
		if v.dtype.Valid() {
			return v.dtype, nil
		}
		return Class(v.name), nil
	case *Tensor:
		if v.Storage == nil {
			return nil, fmt.Errorf("a tensor without a storage")
		}
		return v, s.m.spend(0)
	case *typedStorage:
		return nil, fmt.Errorf("the file holds a storage outside a tensor")
	case *numpyType:
		return Class("numpy.dtype"), nil
	}
	return v, s.m.spend(0)
}

func (s *settler) container(v any, depth int) (any, error) {
	if err := s.m.spend(0); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *node:
		if err := s.all(v.items, depth); err != nil {
			return nil, err
		}
		switch v.kind {
		case opEmptyTuple:
			return Tuple(v.items), nil
		case opEmptySet:
			return Set(v.items), nil
		}
		return v.items, nil
	case *Dict:
		if err := s.all(v.vals, depth); err != nil {
			return nil, err
		}
		if v.Attrs != nil {
			if _, err := s.settle(v.Attrs, depth+1); err != nil {
				return nil, err
			}
		}
		return v, nil
	case *object:
		inner, err := v.unwrap()
		if err != nil {
			return nil, err
		}
		return s.settle(inner, depth+1)
	}
	return v, nil
}

// all settles the items of a container in place.
func (s *settler) all(items []any, depth int) error {
	for i, v := range items {
		out, err := s.settle(v, depth+1)
		if err != nil {
			return err
		}
		items[i] = out
	}
	return nil
}
