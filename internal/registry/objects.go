package registry

import (
	"fmt"
	"strings"
	"sync"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/config/expr"
)

// Objects are values and names that a package beyond the registry's reach gives to expressions: tensors, and the functions of torch.
type Objects interface {
	// Name is what a full name stands for, a [Callable] or any other value; Names are all of them.
	Name(full string) (v any, ok bool)
	Names() []string
	// Refused is for a name that is neither here nor a component: a function that fails, and says why.
	Refused(full string) (Callable, bool)
	// Page is the page of the reference about them.
	Page() []byte
	// Knows says whether a value is one of these objects.
	Knows(v any) bool
	// Attr is as expr.Host's; a value that is an error is why the attribute can't be had.
	Attr(v any, name string) (attr any, ok bool, names []string)
	Index(v, i any) (any, error)
	Iterate(v any) ([]any, error)
	// Binary and Unary are as expr.Operator's.
	Binary(op string, x, y any) (v any, ok bool, err error)
	Unary(op string, x any) (v any, ok bool, err error)
	// SetAttr and SetIndex are as expr.Setter's, InPlace as expr.InPlace's.
	SetAttr(v any, name string, x any) error
	SetIndex(v, i, x any) error
	InPlace(op string, x, y any) (v any, ok bool, err error)
	// IsInstance is as expr.Classifier's.
	IsInstance(v, class any) (is, ok bool)
}

// Callable is a function among [Objects].
type Callable interface {
	Call(args []any, kwargs map[string]any) (any, error)
	// Check says what is wrong with a call whose arguments may be unknown, without making it.
	Check(args []any, kwargs map[string]any) error
}

// objects is nil in programs without tensors.
var objects Objects

// Give makes objects known to expressions. It is called once, from an init.
func Give(o Objects) { objects = o }

func known(v any) bool { return objects != nil && objects.Knows(v) }

// given is a name of [Objects] for expressions.
func (h *host) given(full string) (any, bool) {
	if objects == nil {
		return nil, false
	}
	v, ok := objects.Name(full)
	if c, isCallable := v.(Callable); ok && isCallable {
		return h.function(c), true
	}
	return v, ok
}

// refused is a name that is not here on purpose.
func (h *host) refused(full string) (any, bool) {
	if objects == nil {
		return nil, false
	}
	c, ok := objects.Refused(full)
	if !ok {
		return nil, false
	}
	return h.function(c), true
}

// function is a callable, which is only checked while the configuration is.
func (h *host) function(c Callable) Func {
	if !h.checking {
		return c.Call
	}
	return func(args []any, kwargs map[string]any) (any, error) {
		return config.Unknown{}, c.Check(args, kwargs)
	}
}

// fullNames are the names of all components, constants and objects.
func fullNames() []string {
	all := append(Names(), constantNames()...)
	if objects != nil {
		all = append(all, objects.Names()...)
	}
	return all
}

// packages are what full names begin with: "torch", "torch.nn". User code asks for them at every step.
var packages = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, name := range fullNames() {
		for i := strings.LastIndexByte(name, '.'); i > 0; i = strings.LastIndexByte(name[:i], '.') {
			all[name[:i]] = true
		}
	}
	return all
})

// Binary is x op y with objects.
func (h *host) Binary(op string, x, y any) (any, bool, error) {
	if known(x) || known(y) {
		return objects.Binary(op, x, y)
	}
	return nil, false, nil
}

// Unary is op x of an object.
func (h *host) Unary(op string, x any) (any, bool, error) {
	if known(x) {
		return objects.Unary(op, x)
	}
	return nil, false, nil
}

// Setter is a built object whose attributes or elements can be set.
type Setter interface {
	SetAttr(name string, v any) error
	SetIndex(i, v any) error
}

// SetAttr is obj.name = v.
func (h *host) SetAttr(obj any, name string, v any) error {
	if s, ok := obj.(Setter); ok {
		return s.SetAttr(name, v)
	}
	if known(obj) {
		return objects.SetAttr(obj, name, v)
	}
	return fmt.Errorf("'%s' object has no attributes that can be set: '%s'", expr.TypeName(obj), name)
}

// SetIndex is obj[i] = v.
func (h *host) SetIndex(obj, i, v any) error {
	if s, ok := obj.(Setter); ok {
		return s.SetIndex(i, v)
	}
	if known(obj) {
		return objects.SetIndex(obj, i, v)
	}
	return fmt.Errorf("'%s' object does not support item assignment", expr.TypeName(obj))
}

// InPlace is x op= y.
func (h *host) InPlace(op string, x, y any) (any, bool, error) {
	if known(x) {
		return objects.InPlace(op, x, y)
	}
	return nil, false, nil
}

// IsInstance is isinstance(obj, class).
func (h *host) IsInstance(obj, class any) (is, ok bool) {
	if known(class) {
		return objects.IsInstance(obj, class)
	}
	return false, false
}

var (
	_ expr.Classifier = (*host)(nil)
	_ expr.Operator   = (*host)(nil)
	_ expr.Setter     = (*host)(nil)
	_ expr.InPlace    = (*host)(nil)
)
