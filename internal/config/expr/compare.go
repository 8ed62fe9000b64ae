package expr

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// compare is one comparison.
func (m *machine) compare(op string, x, y starlark.Value) (starlark.Value, error) {
	if v, ok := smallCompare(op, x, y); ok {
		return v, nil
	}
	switch op {
	case "is", "is not":
		return starlark.Bool(same(x, y) == (op == "is")), nil
	}
	if isUnknown(x, y) {
		return m.touch(), nil
	}
	switch op {
	case "in", "not in":
		found, err := m.contains(y, x)
		return starlark.Bool(found == (op == "in")), err
	}
	if v, ok, err := m.hostBinary(op, x, y); err != nil || ok {
		return v, err
	}
	if op == "==" || op == "!=" {
		eq, err := m.equal(x, y)
		return starlark.Bool(eq == (op == "==")), err
	}
	c, err := m.order(x, y)
	if err != nil {
		if errors.Is(err, errOrder) {
			err = fmt.Errorf("'%s' not supported between instances of '%s' and '%s'", op, typeName(x), typeName(y))
		}
		return nil, err
	}
	if c == unordered {
		return starlark.False, nil
	}
	return starlark.Bool(map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op]), nil
}

// smallCompare compares integers of one word, floats and strings; ok is false for everything else.
func smallCompare(op string, x, y starlark.Value) (starlark.Value, bool) {
	c := 0
	switch x := x.(type) {
	case starlark.Int:
		y, ok := y.(starlark.Int)
		if !ok {
			return nil, false
		}
		a, ok1 := x.Int64()
		b, ok2 := y.Int64()
		if !ok1 || !ok2 {
			return nil, false
		}
		c = cmp.Compare(a, b)
	case starlark.Float:
		y, ok := y.(starlark.Float)
		if !ok || x != x || y != y {
			return nil, false
		}
		c = cmp.Compare(x, y)
		if x == y {
			c = 0 // 0.0 and -0.0
		}
	case starlark.String:
		y, ok := y.(starlark.String)
		if !ok || min(len(x), len(y)) > 100 {
			return nil, false
		}
		c = cmp.Compare(x, y)
	default:
		return nil, false
	}
	switch op {
	case "<":
		return starlark.Bool(c < 0), true
	case "<=":
		return starlark.Bool(c <= 0), true
	case ">":
		return starlark.Bool(c > 0), true
	case ">=":
		return starlark.Bool(c >= 0), true
	case "==":
		return starlark.Bool(c == 0), true
	case "!=":
		return starlark.Bool(c != 0), true
	}
	return nil, false
}

func same(x, y starlark.Value) bool {
	switch x := x.(type) {
	case starlark.NoneType:
		return y == starlark.None
	case starlark.Bool:
		return x == y
	case *object:
		o, ok := y.(*object)
		return ok && isComparable(x.value) && isComparable(o.value) && x.value == o.value
	case *unknown:
		if y == starlark.None {
			x.m.touch()
		}
		return false
	case *starlark.List, *starlark.Dict, *starlark.Set, *starlark.Function, *starlark.Builtin, *hostFunc, *iterator, exceptionClass, class, ellipsis:
		return x == y
	case starlark.Int, starlark.Float, starlark.String, starlark.Bytes: // Python's are the same when they come from one place
		eq, err := starlark.Equal(x, y)
		return err == nil && eq && x.Type() == y.Type()
	case starlark.Tuple:
		t, ok := y.(starlark.Tuple)
		return ok && len(t) == len(x) && (len(x) == 0 || &t[0] == &x[0])
	}
	if u, ok := y.(*unknown); ok {
		u.m.touch()
	}
	return false
}

// equal is ==, where True is 1 and 1 is 1.0.
func (m *machine) equal(x, y starlark.Value) (bool, error) {
	if isUnknown(x, y) {
		m.touch()
		return false, nil
	}
	if err := m.spend(1); err != nil {
		return false, err
	}
	if err := m.deeper(); err != nil {
		return false, err
	}
	defer m.shallower()
	x, y = asNumber(x), asNumber(y)
	_, xo := x.(*object)
	_, yo := y.(*object)
	if xo || yo {
		if same(x, y) || m.run == nil {
			return same(x, y), nil
		}
		v, ok, err := m.hostBinary("==", x, y)
		if err != nil || !ok {
			return false, err
		}
		return m.truth(v)
	}
	xs, xok := indexable(x)
	ys, yok := indexable(y)
	if xok != yok || xok && (x.Type() != y.Type() || xs.Len() != ys.Len()) {
		return false, nil
	}
	if xok {
		for i := range xs.Len() {
			if eq, err := m.equal(xs.Index(i), ys.Index(i)); !eq || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	switch x := x.(type) {
	case *starlark.Dict:
		d, ok := y.(*starlark.Dict)
		if !ok || d.Len() != x.Len() {
			return false, nil
		}
		for _, kv := range x.Items() {
			other, found, err := d.Get(kv[0])
			if err != nil || !found {
				return false, err
			}
			if eq, err := m.equal(kv[1], other); !eq || err != nil {
				return false, err
			}
		}
		return true, nil
	case starlark.Float:
		if x != x {
			return false, nil
		}
	}
	if err := m.spend(length(x)); err != nil {
		return false, err
	}
	return starlark.Equal(x, y)
}

// indexable is a list or a tuple.
func indexable(v starlark.Value) (starlark.Indexable, bool) {
	switch v := v.(type) {
	case starlark.Tuple:
		return v, true
	case *starlark.List:
		return v, true
	}
	return nil, false
}

func sequenceOf(v starlark.Value) ([]starlark.Value, bool) {
	switch v := v.(type) {
	case starlark.Tuple:
		return v, true
	case *starlark.List:
		items := make([]starlark.Value, v.Len())
		for i := range items {
			items[i] = v.Index(i)
		}
		return items, true
	}
	return nil, false
}

var errOrder = errors.New("not ordered")

// unordered is the order of a NaN and anything.
const unordered = 2

// order is -1, 0, 1 or unordered.
func (m *machine) order(x, y starlark.Value) (int, error) {
	if isUnknown(x, y) {
		m.touch()
		return unordered, nil
	}
	if err := m.spend(1 + min(length(x), length(y))); err != nil {
		return 0, err
	}
	if err := m.deeper(); err != nil {
		return 0, err
	}
	defer m.shallower()
	x, y = asNumber(x), asNumber(y)
	_, xo := x.(*object)
	_, yo := y.(*object)
	if (xo || yo) && m.run != nil {
		return m.orderObjects(x, y)
	}
	xs, xok := indexable(x)
	ys, yok := indexable(y)
	if xok && yok && x.Type() == y.Type() {
		for i := range min(xs.Len(), ys.Len()) {
			if eq, err := m.equal(xs.Index(i), ys.Index(i)); err != nil {
				return 0, err
			} else if !eq {
				return m.order(xs.Index(i), ys.Index(i))
			}
		}
		return cmp.Compare(xs.Len(), ys.Len()), nil
	}
	less, err := starlark.Compare(syntax.LT, x, y)
	if err != nil || xok || yok {
		return 0, errOrder
	}
	greater, _ := starlark.Compare(syntax.GT, x, y)
	equal, _ := starlark.Compare(syntax.EQL, x, y)
	if fx, ok := x.(starlark.Float); ok && math.IsNaN(float64(fx)) {
		return unordered, nil // Starlark gives NaN a place
	}
	if fy, ok := y.(starlark.Float); ok && math.IsNaN(float64(fy)) {
		return unordered, nil
	}
	switch {
	case less:
		return -1, nil
	case greater:
		return 1, nil
	case equal:
		return 0, nil
	}
	return unordered, nil
}

// orderObjects is order where the host knows it.
func (m *machine) orderObjects(x, y starlark.Value) (int, error) {
	for _, c := range []struct {
		op    string
		order int
	}{{"<", -1}, {">", 1}} {
		v, ok, err := m.hostBinary(c.op, x, y)
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, errOrder
		}
		if holds, err := m.truth(v); holds || err != nil {
			return c.order, err
		}
	}
	return 0, nil
}

func (m *machine) contains(in, x starlark.Value) (bool, error) {
	switch in := in.(type) {
	case starlark.String:
		s, ok := x.(starlark.String)
		if !ok {
			return false, fmt.Errorf("'in <string>' requires string as left operand, not %s", typeName(x))
		}
		return strings.Contains(string(in), string(s)), m.spend(len(in))
	case *starlark.Dict:
		if err := m.hashable(x); err != nil {
			return false, err
		}
		_, found, err := lookup(in, x)
		return found, err
	case *starlark.Set:
		if err := m.hashable(x); err != nil {
			return false, err
		}
		found, err := in.Has(x)
		if other := twin(x); !found && err == nil && other != nil {
			return in.Has(other)
		}
		return found, err
	}
	if o, ok := in.(*object); ok {
		if v, ok, err := m.callAttr(o, "__contains__", x); ok || err != nil {
			return err == nil && bool(v.Truth()), err
		}
	}
	if i, ok := asNumber(x).(starlark.Int); ok && in.Type() == "range" {
		v, err := starlark.Binary(syntax.IN, i, in)
		return err == nil && bool(v.Truth()), err
	}
	if s, ok := in.(starlark.Bytes); ok {
		if sub, ok := x.(starlark.Bytes); ok {
			return strings.Contains(string(s), string(sub)), m.spend(len(s))
		}
	}
	items, err := m.iterate(in)
	if err != nil {
		if strings.HasSuffix(err.Error(), "is not iterable") {
			err = fmt.Errorf("argument of type '%s' is not iterable", typeName(in))
		}
		return false, err
	}
	for _, it := range items {
		if eq, err := m.equal(it, x); eq || err != nil {
			return eq, err
		}
	}
	return false, nil
}

// lookup is the value of a key, where True is 1 and False is 0.
func lookup(d *starlark.Dict, key starlark.Value) (starlark.Value, bool, error) {
	v, found, err := d.Get(key)
	if found || err != nil {
		return v, found, err
	}
	if other := twin(key); other != nil {
		return d.Get(other)
	}
	return v, false, nil
}

// twin is the key that is equal in Python and not in Starlark: True of 1, 0 of False; nil for none.
func twin(key starlark.Value) starlark.Value {
	switch k := key.(type) {
	case starlark.Bool:
		return asNumber(k)
	case starlark.Int, starlark.Float:
		f, _ := starlark.AsFloat(k)
		if f == 0 || f == 1 {
			return starlark.Bool(f == 1)
		}
	}
	return nil
}

// hashable bounds what a key may be: Starlark hashes a tuple of tuples as often as it is in itself.
func (m *machine) hashable(v starlark.Value) error {
	t, ok := v.(starlark.Tuple)
	if !ok {
		switch v.(type) {
		case *starlark.List, *starlark.Dict, *starlark.Set:
			return fmt.Errorf("unhashable type: '%s'", typeName(v))
		}
		return m.spend(length(v))
	}
	if err := m.deeper(); err != nil {
		return err
	}
	defer m.shallower()
	for _, x := range t {
		if err := m.spend(1); err != nil {
			return err
		}
		if err := m.hashable(x); err != nil {
			return err
		}
	}
	return nil
}

func isComparable(v any) bool { return v != nil && reflect.ValueOf(v).Comparable() }
