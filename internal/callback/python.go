package callback

import (
	"strings"

	"github.com/lighter-go/lighter/internal/config/expr"
)

// pythonRepr is Python's repr of a string.
func pythonRepr(s string) string {
	if p, err := expr.Compile("repr(value)"); err == nil {
		if v, err := p.Eval(nil, nil, map[string]any{"value": s}); err == nil {
			return v.(string)
		}
	}
	return "'" + s + "'" // too long for an expression
}

// pythonList is Python's repr of a list of strings.
func pythonList(list []string) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = pythonRepr(s)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
