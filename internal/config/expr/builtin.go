package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

type args struct {
	name string
	pos  starlark.Tuple
	kw   []starlark.Tuple
}

// unpack reads arguments by name; those after "?" are optional.
func (a args) unpack(pairs ...any) error { return starlark.UnpackArgs(a.name, a.pos, a.kw, pairs...) }

type function func(m *machine, a args) (starlark.Value, error)

// builtins are the functions that expressions have, by Python's names.
var builtins map[string]function

// internals are what the rewriting calls.
var internals map[string]function

func init() {
	builtins = map[string]function{
		"abs": universe, "bool": boolOf, "chr": universe, "float": floatOf, "int": intOf, "ord": universe, "range": rangeFunc,
		"all": anyAll(false), "any": anyAll(true), "dict": dictOf, "divmod": divmod, "enumerate": enumerate, "filter": filter,
		"format": formatOf, "getattr": getattr, "hasattr": hasattr, "len": lenOf, "list": listOf, "map": mapOf, "max": extreme(1),
		"min": extreme(-1), "next": nextOf, "pow": powOf, "repr": textOf(true), "reversed": reversed, "round": roundOf, "set": setOf,
		"sorted": sortedOf, "str": textOf(false), "sum": sumOf, "tuple": tupleOf, "type": typeOf, "zip": zip,
	}
	internals = map[string]function{
		"__op": opOf, "__unary": unaryOf, "__compare": compareOf, "__chain": chainOf, "__attr": attrOf, "__index": indexOf, "__slice": sliceOf,
		"__iter": iterOf, "__gather": gather, "__dict": dictDisplay, "__format": formatField, "__concat": concat,
		"__range": rangeOf, "__ellipsis": ellipsisOf, "__set": setOf, "__mapping": mapping, "__test": test,
	}
	fileBuiltins = map[string]function{
		"__setattr": setAttr, "__setindex": setIndex, "__delitem": delItem, "__delattr": delAttr, "__unpack": unpack,
		"__inplace": inPlace, "__assert": failedAssert, "__raise": raise,
		"print": printOf, "isinstance": isInstance, "callable": isCallable, "iter": iter, "bytes": bytesOf, "hex": inBase("0x", 16), "oct": inBase("0o", 8), "bin": inBase("0b", 2),
	}
}

// fileBuiltins are those that only files have.
var fileBuiltins map[string]function

// builtin is one of the functions for this evaluation.
func (m *machine) builtin(name string) starlark.Value {
	f := builtins[name]
	if f == nil {
		f = internals[name]
	}
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
		return f(m, args{name, pos, kw})
	})
}

// universe is Starlark's own function of the name.
func universe(m *machine, a args) (starlark.Value, error) {
	if isUnknown(a.pos...) {
		return m.touch(), nil
	}
	for i, v := range a.pos {
		if a.name != "bool" {
			a.pos[i] = asNumber(v)
		}
		if err := m.spend(length(v)); err != nil {
			return nil, err
		}
		if o, ok := v.(*object); ok && a.name != "bool" {
			for _, special := range []string{"__" + a.name + "__", "item"} {
				if v, ok, err := m.callAttr(o, special); ok || err != nil {
					return v, err
				}
			}
		}
	}
	return starlark.Call(m.thread, starlark.Universe[a.name], a.pos, a.kw)
}

// callAttr calls a method of a host object that has it.
func (m *machine) callAttr(o *object, name string, args ...starlark.Value) (starlark.Value, bool, error) {
	if m.host == nil {
		return nil, false, nil
	}
	value, err := m.hosted(o)
	if err != nil {
		return nil, false, err
	}
	f, ok, _ := m.host.Attr(value, name)
	if !ok {
		return nil, false, nil
	}
	switch f.(type) {
	case Func, KwFunc:
		v, err := m.callable(f, args, nil)
		return v, true, err
	}
	if m.run != nil {
		return nil, false, nil
	}
	return m.touch(), true, nil
}

// boolOf is bool().
func boolOf(m *machine, a args) (starlark.Value, error) {
	if isUnknown(a.pos...) || len(a.pos) != 1 || len(a.kw) > 0 {
		return universe(m, a)
	}
	truth, err := m.truth(a.pos[0])
	return starlark.Bool(truth), err
}

func divmod(m *machine, a args) (starlark.Value, error) {
	var x, y starlark.Value
	if err := a.unpack("x", &x, "y", &y); err != nil {
		return nil, err
	}
	q, err := m.binary("//", x, y)
	if err != nil {
		return nil, err
	}
	r, err := m.binary("%", x, y)
	return starlark.Tuple{q, r}, err
}

// roundOf rounds half to even, to an int when no digits are given.
func roundOf(m *machine, a args) (starlark.Value, error) {
	var x, n starlark.Value
	if err := a.unpack("number", &x, "ndigits?", &n); err != nil {
		return nil, err
	}
	if isUnknown(x, n) {
		return m.touch(), nil
	}
	x = asNumber(x)
	if i, ok := x.(starlark.Int); ok && (n == nil || n == starlark.None) {
		return i, nil
	}
	f, ok := starlark.AsFloat(x)
	if !ok {
		return nil, fmt.Errorf("type %s doesn't define __round__ method", typeName(x))
	}
	if n == nil || n == starlark.None {
		return starlark.NumberToInt(starlark.Float(math.RoundToEven(f)))
	}
	digits, err := starlark.AsInt32(n)
	if err != nil {
		return nil, err
	}
	if i, ok := x.(starlark.Int); ok {
		return m.roundInt(i, digits)
	}
	var r float64
	switch {
	case digits > 300 || math.IsInf(f, 0) || math.IsNaN(f):
		r = f
	case digits >= 0:
		r, err = strconv.ParseFloat(strconv.FormatFloat(f, 'f', digits, 64), 64)
	case digits < -300:
		r = 0
	default:
		scale := math.Pow(10, float64(-digits))
		r = math.RoundToEven(f/scale) * scale
	}
	return starlark.Float(r), err
}

func typeOf(m *machine, a args) (starlark.Value, error) {
	var v starlark.Value
	if err := a.unpack("obj", &v); err != nil {
		return nil, err
	}
	if m.run != nil {
		return m.classOf(v), nil
	}
	return starlark.String(typeName(v)), nil
}

func dictOf(m *machine, a args) (starlark.Value, error) {
	d := starlark.NewDict(len(a.kw))
	if len(a.pos) > 1 {
		return nil, fmt.Errorf("dict: got %d arguments, want at most 1", len(a.pos))
	}
	for _, v := range a.pos {
		if err := m.update(d, v); err != nil {
			return nil, err
		}
	}
	for _, kv := range a.kw {
		if err := d.SetKey(kv[0], kv[1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// insertions charges n of them into a dict or a set.
func (m *machine) insertions(n int) error {
	if err := m.spend(5 * n); err != nil {
		return err
	}
	return m.alloc(4 * itemSize * n)
}

// update puts the pairs of a dict or of a list of pairs into d.
func (m *machine) update(d *starlark.Dict, from starlark.Value) error {
	if other, ok := from.(*starlark.Dict); ok {
		if err := m.insertions(other.Len()); err != nil {
			return err
		}
		for _, kv := range other.Items() {
			if err := d.SetKey(kv[0], kv[1]); err != nil {
				return err
			}
		}
		return nil
	}
	items, err := m.iterate(from)
	if err != nil {
		return err
	}
	if err := m.insertions(len(items)); err != nil {
		return err
	}
	for _, it := range items {
		pair, err := m.iterate(it)
		if err != nil {
			return err
		}
		if len(pair) != 2 {
			return fmt.Errorf("dict: an element has %d parts, want a key and a value", len(pair))
		}
		if err := m.hashable(pair[0]); err != nil {
			return err
		}
		if err := d.SetKey(pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// dictDisplay is {k: v, **other}: a list of pairs and dicts.
func dictDisplay(m *machine, a args) (starlark.Value, error) {
	items, _ := sequenceOf(a.pos[0])
	if err := m.insertions(len(items)); err != nil {
		return nil, err
	}
	d := starlark.NewDict(len(items))
	for _, it := range items {
		var err error
		switch it := it.(type) {
		case *starlark.Dict:
			err = m.update(d, it)
		case starlark.Tuple:
			if err = m.hashable(it[0]); err == nil {
				err = d.SetKey(it[0], it[1])
			}
		case *unknown:
			m.touch()
		default:
			err = fmt.Errorf("'%s' object is not a mapping", typeName(it))
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// gather is a list, tuple or set display: its elements, and a "1" for each that gives all of its own.
func gather(m *machine, a args) (starlark.Value, error) {
	items, _ := sequenceOf(a.pos[1])
	if len(a.pos) > 2 {
		flags, _ := starlark.AsString(a.pos[2])
		var all []starlark.Value
		for i, it := range items {
			if flags[i] == '0' {
				all = append(all, it)
				continue
			}
			more, err := m.iterate(it)
			if err != nil {
				return nil, err
			}
			if err := m.room(len(all) + len(more)); err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
		items = all
	}
	switch s, _ := starlark.AsString(a.pos[0]); s {
	case "tuple":
		return starlark.Tuple(items), nil
	case "set":
		return setOf(m, args{name: "set", pos: starlark.Tuple{starlark.NewList(items)}})
	}
	return starlark.NewList(items), nil
}

func opOf(m *machine, a args) (starlark.Value, error) {
	op, _ := starlark.AsString(a.pos[0])
	return m.binary(op, a.pos[1], a.pos[2])
}

func unaryOf(m *machine, a args) (starlark.Value, error) {
	op, _ := starlark.AsString(a.pos[0])
	return m.unary(op, a.pos[1])
}

func compareOf(m *machine, a args) (starlark.Value, error) {
	op, _ := starlark.AsString(a.pos[0])
	return m.compare(op, a.pos[1], a.pos[2])
}

// chainOf is a < b < c with operands that are functions.
func chainOf(m *machine, a args) (starlark.Value, error) {
	signs, _ := starlark.AsString(a.pos[0])
	left, err := starlark.Call(m.thread, a.pos[1], nil, nil)
	if err != nil {
		return nil, err
	}
	var v starlark.Value = starlark.True
	for i, sign := range strings.Split(signs, ",") {
		right, err := starlark.Call(m.thread, a.pos[i+2], nil, nil)
		if err != nil {
			return nil, err
		}
		if v, err = m.compare(sign, left, right); err != nil {
			return nil, err
		}
		if i < len(a.pos)-3 {
			if holds, err := m.truth(v); !holds || err != nil {
				return v, err
			}
		}
		left = right
	}
	return v, nil
}
