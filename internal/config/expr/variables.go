package expr

import (
	"strings"

	"go.starlark.net/starlark"
)

// Describer is implemented by hosts that can say something about an object for a traceback: a tensor's dtype and shape.
type Describer interface {
	// Describe gives "" for what is not worth a word.
	Describe(v any) string
}

// mostVariables are how many variables of a call a traceback shows.
const mostVariables = 8

// variables are what the host says of the variables of the calls under way, the outermost first, when an operation has failed.
// Calls that are not of a file have none.
func (m *machine) variables() []string {
	h, ok := m.host.(Describer)
	if !ok {
		return nil
	}
	n := m.thread.CallStackDepth()
	all := make([]string, n)
	for i := range n {
		frame := m.thread.DebugFrame(i)
		if _, isFunction := frame.Callable().(*starlark.Function); !isFunction {
			continue
		}
		var found []string
		for k := range frame.NumLocals() {
			b, v := frame.Local(k)
			o, isObject := v.(*object)
			if !isObject || o.kept || o.born != 0 && !m.host.(Mortal).Lives(o.born) || strings.HasPrefix(b.Name, "__") {
				continue
			}
			if text := h.Describe(o.value); text != "" && len(found) < mostVariables {
				found = append(found, b.Name+": "+text)
			}
		}
		all[n-1-i] = strings.Join(found, ", ")
	}
	return all
}

// failed notes the variables of the calls that an error stops, the first time it is seen.
func (m *machine) failed(err error) {
	if err != nil && m.run != nil && m.noted == nil {
		m.noted = m.variables()
	}
}
