package project

import (
	"errors"
	"slices"

	"github.com/lighter-go/lighter/internal/config/expr"
)

// members are what user code has given an object: functions, which are its methods, and values, as [expr.KwFunc] gets them.
type members struct {
	names  []string
	values map[string]any
	frozen bool   // several threads may look at them
	origin string // what of the configuration made the object: "built by project.model.Net (config.yaml:3:5, in model::network)"
}

// freeze ends all changes, also of lists and dicts among the values and of what the functions have captured.
func (m *members) freeze() {
	m.frozen = true
	for _, v := range m.values {
		if f, ok := v.(interface{ Freeze() }); ok {
			f.Freeze()
		}
	}
}

func (m *members) get(name string) (v any, ok bool) {
	v, ok = m.values[name]
	return v, ok
}

func (m *members) set(name string, v any) {
	if _, again := m.values[name]; !again {
		m.names = append(m.names, name)
	}
	if m.values == nil {
		m.values = map[string]any{}
	}
	m.values[name] = v
}

func (m *members) drop(name string) (ok bool) {
	if _, ok = m.values[name]; ok {
		delete(m.values, name)
		m.names = slices.DeleteFunc(m.names, func(n string) bool { return n == name })
	}
	return ok
}

// function is the method of a name as it was given; nil when there is none.
func (m *members) function(name string) *expr.Function {
	f, _ := m.values[name].(*expr.Function)
	return f
}

// attr is a member as an attribute of self. A function is a method when it takes self, or has the name of one that is called
// with it; others, such as a transform that a data set holds, are values.
func (m *members) attr(self any, name string) (v any, ok bool) {
	v, ok = m.values[name]
	if f, isFunction := v.(*expr.Function); isFunction && (f.IsMethod() || hooks[name] || name == "forward") {
		return expr.Method{Self: self, Function: f}, true
	}
	return v, ok
}

// blame says in an error of the object's code what made the object, and passes the error on.
func (m *members) blame(err error) error {
	var t *expr.Traceback
	if errors.As(err, &t) && t.Origin == "" {
		t.Origin = m.origin
	}
	return err
}
