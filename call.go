package lighter

import (
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/tensor"
)

// Signed is a Module whose Forward takes other arguments than (input): their names in order, "query, key, attn_mask=". Those
// with "=" may be left out, or nil.
type Signed interface{ Signature() string }

// KeywordModule is a Module that takes keyword arguments itself.
type KeywordModule interface {
	ForwardKeywords(args []Value, kwargs map[string]Value) Value
}

// Call is the Forward of m with keyword arguments, as PyTorch's modules take them. It panics with a *tensor.Error on arguments
// that do not fit.
func Call(m Module, args []Value, kwargs map[string]Value) Value {
	if len(kwargs) == 0 {
		return m.Forward(args...)
	}
	if k, ok := m.(KeywordModule); ok {
		return k.ForwardKeywords(args, kwargs)
	}
	names := []string{"input"}
	if s, ok := m.(Signed); ok {
		names = strings.Split(s.Signature(), ", ")
	}
	class := m.Tree().Class()
	in := slices.Grow(slices.Clone(args), len(names))
	for i, name := range names {
		optional := strings.HasSuffix(name, "=")
		names[i] = strings.TrimSuffix(name, "=")
		if i < len(args) {
			continue
		}
		v, given := kwargs[names[i]]
		if !given && !optional {
			tensor.Fail(class, "forward() missing 1 required positional argument: '%s'", name)
		}
		in = append(in, v)
	}
	for name := range kwargs {
		switch i := slices.Index(names, name); {
		case i < 0:
			hint := ""
			if near := diag.Nearest(name, names, 1); len(near) > 0 {
				hint = ": did you mean \"" + near[0] + "\"?"
			}
			tensor.Fail(class, "forward() got an unexpected keyword argument '%s'%s", name, hint)
		case i < len(args):
			tensor.Fail(class, "forward() got multiple values for argument '%s'", name)
		}
	}
	for len(in) > len(args) && in[len(in)-1] == nil { // left out, not given as None
		in = in[:len(in)-1]
	}
	return m.Forward(in...)
}
