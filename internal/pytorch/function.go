package pytorch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// function is one that PyTorch writes in Python, by the same signature.
type function struct {
	declared string // "name(input, dim=None, *, dtype=None)"; the last of the positional ones may be "*sizes"
	body     func(a *arguments) any

	once   sync.Once
	name   string
	params []parameter
	rest   int // the place of the variadic parameter, -1 for none
}

type parameter struct {
	name     string
	value    any // the default
	required bool
	keyword  bool
}

func (f *function) parse() {
	f.rest = -1
	open := strings.IndexByte(f.declared, '(')
	f.name = f.declared[:open]
	keyword := false
	for _, text := range splitTop(strings.TrimSuffix(f.declared[open+1:], ")")) {
		switch {
		case text == "*":
			keyword = true
			continue
		case text[0] == '*':
			f.rest, keyword = len(f.params), true
			f.params = append(f.params, parameter{name: text[1:], value: Tuple{}})
			continue
		}
		name, value, has := strings.Cut(text, "=")
		p := parameter{name: name, required: !has, keyword: keyword}
		if has {
			p.value = parseDefault(value)
		}
		f.params = append(f.params, p)
	}
}

func parseDefault(s string) any {
	switch s {
	case "None":
		return nil
	case "True":
		return true
	case "False":
		return false
	case "inf":
		return math.Inf(1)
	case "-inf":
		return math.Inf(-1)
	case "()":
		return Tuple{}
	}
	if s[0] == '\'' {
		return s[1 : len(s)-1]
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("pytorch: bad default " + s)
	}
	return v
}

// arguments are those of a call of a function, in the order of its parameters.
type arguments struct {
	f     *function
	v     []any
	given []bool
}

func (f *function) bind(args []any, kwargs map[string]any) (*arguments, error) {
	f.once.Do(f.parse)
	a := &arguments{f: f, v: make([]any, len(f.params)), given: make([]bool, len(f.params))}
	most := 0
	for i := range f.params {
		a.v[i] = f.params[i].value
		if !f.params[i].keyword && i != f.rest {
			most++
		}
	}
	switch {
	case len(args) <= most:
		copy(a.v, args)
	case f.rest >= 0:
		copy(a.v, args[:most])
		a.v[f.rest], a.given[f.rest] = Tuple(args[most:]), true
	default:
		return nil, (&mismatch{tooMany: most + 1}).error(f.name, nil, len(args))
	}
	for i := range min(len(args), most) {
		a.given[i] = true
	}
	for name, v := range kwargs {
		i := f.index(name)
		switch {
		case i < 0:
			var names []string
			for _, p := range f.params {
				names = append(names, p.name)
			}
			return nil, (&mismatch{unknown: name}).error(f.name, names, len(args))
		case a.given[i]:
			return nil, (&mismatch{twice: name}).error(f.name, nil, len(args))
		}
		a.v[i], a.given[i] = v, true
	}
	var missing []string
	for i, p := range f.params {
		if p.required && !a.given[i] {
			missing = append(missing, p.name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s() missing %d required positional argument%s: '%s'", f.name, len(missing), plural(len(missing)), strings.Join(missing, "', '"))
	}
	return a, nil
}

func (f *function) index(name string) int {
	for i, p := range f.params {
		if p.name == name {
			return i
		}
	}
	for i, p := range f.params {
		for _, s := range synonyms(p.name) {
			if s == name {
				return i
			}
		}
	}
	return -1
}

// call binds and runs the function.
func (f *function) call(args []any, kwargs map[string]any) (v any, err error) {
	a, err := f.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	defer tensor.Recover(&err)
	return f.body(a), nil
}

func (a *arguments) wrong(i int, want string) {
	panic(&tensor.Error{Op: a.f.name, Kind: tensor.BadArguments,
		Msg: fmt.Sprintf("%s(): argument '%s' must be %s, not %s", a.f.name, a.f.params[i].name, want, typeNames(a.v[i]))})
}

func (a *arguments) fail(format string, args ...any) { tensor.Fail(a.f.name, format, args...) }

func (a *arguments) tensor(i int) tensor.Tensor {
	t, ok := a.v[i].(tensor.Tensor)
	if !ok {
		if p, ok := a.v[i].(interface{ Tensor() tensor.Tensor }); ok {
			return p.Tensor()
		}
		a.wrong(i, "Tensor")
	}
	return t
}

func (a *arguments) tensors(i int) []tensor.Tensor {
	items, ok := elements(a.v[i])
	if !ok {
		a.wrong(i, "tuple of Tensors")
	}
	out := make([]tensor.Tensor, len(items))
	for j, it := range items {
		if out[j], ok = tensorOf(it).(tensor.Tensor); !ok {
			a.wrong(i, "tuple of Tensors")
		}
	}
	return out
}

func (a *arguments) none(i int) bool { return a.v[i] == nil }

func (a *arguments) int(i int) int64 {
	switch v := a.v[i].(type) {
	case int64:
		return v
	case tensor.Tensor:
		if n, ok := scalarOf(v); ok {
			if n, ok := n.(int64); ok {
				return n
			}
		}
	}
	a.wrong(i, "int")
	return 0
}

func (a *arguments) float(i int) float64 {
	v := a.v[i]
	if t, ok := v.(tensor.Tensor); ok {
		v, _ = scalarOf(t)
	}
	f, ok := toFloat(v)
	if !ok {
		a.wrong(i, "float")
	}
	return f
}

func (a *arguments) bool(i int) bool {
	switch v := a.v[i].(type) {
	case bool:
		return v
	case nil:
		return false
	case int64:
		return v != 0
	}
	a.wrong(i, "bool")
	return false
}

func (a *arguments) text(i int) string {
	s, ok := a.v[i].(string)
	if !ok {
		a.wrong(i, "str")
	}
	return s
}

// ints are those of a list, or a single int as one.
func (a *arguments) ints(i int) []int64 {
	items, ok := elements(a.v[i])
	if !ok {
		return []int64{a.int(i)}
	}
	out := make([]int64, len(items))
	for j, it := range items {
		switch v := it.(type) {
		case int64:
			out[j] = v
		case tensor.Tensor:
			n, _ := scalarOf(v)
			if out[j], ok = n.(int64); !ok {
				a.wrong(i, "tuple of ints")
			}
		default:
			a.wrong(i, "tuple of ints")
		}
	}
	return out
}

// repeated are n ints: of a list of n, or one int n times.
func (a *arguments) repeated(i, n int) []int64 {
	v := a.ints(i)
	if _, isList := elements(a.v[i]); isList && (len(v) == n || len(v) != 1) {
		return v
	}
	for len(v) < n {
		v = append(v, v[0])
	}
	return v
}

func (a *arguments) function(i int) expr.Func {
	f, ok := callable(a.v[i])
	if !ok {
		a.wrong(i, "a function")
	}
	return f
}
