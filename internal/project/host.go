package project

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/module"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// host gives user code the objects of a build, and those that this package makes of it.
type host struct {
	expr.Host
	session    *session
	attributes map[any]*members // of objects that have no members of their own
}

// holder is an object that holds its members.
type holder interface{ held() *members }

// owner is an object with attributes beside its members.
type owner interface {
	attr(name string) (v any, ok bool)
	names() []string // of its attributes, for suggestions
	setAttr(name string, v any) (done bool, err error)
}

// named is the base's modules of components: torch, torch.nn.
type named interface{ FullName() string }

// membersOf are an object's members; nil when it has none.
func (h *host) membersOf(obj any) *members {
	if x, ok := obj.(holder); ok {
		return x.held()
	}
	if x, ok := obj.(lighter.Module); ok { // a pointer, unlike others
		return h.attributes[x]
	}
	return nil
}

// Attr gives an attribute of an object, or a class that this package makes objects of.
func (h *host) Attr(obj any, name string) (any, bool, []string) {
	if v, ok := h.own(obj, name); ok || v != nil {
		return v, ok, nil
	}
	v, ok, names := h.Host.Attr(obj, name)
	if ok || v != nil {
		return v, ok, nil
	}
	return nil, false, append(names, h.names(obj)...)
}

// own is an attribute that the base knows nothing of. A value that is an error, and not ok, is why it can't be had.
func (h *host) own(obj any, name string) (any, bool) {
	switch x := obj.(type) {
	case tensor.Tensor:
		return nil, false
	case named:
		full := x.FullName() + "." + name
		if class := classes[full]; class != nil {
			return expr.Class{Name: full, New: expr.KwFunc(func(args []any, kwargs *expr.Dict) (any, error) { return class(h.session, args, kwargs) })}, true
		}
		if e, ok := registry.Lookup(full); ok && isClass[e.Kind] {
			if f, ok, _ := h.Host.Attr(obj, name); ok {
				return expr.Class{Name: e.Target, New: f}, true
			}
		}
		return nil, false
	}
	if m := h.membersOf(obj); m != nil {
		if v, ok := m.attr(obj, name); ok {
			return v, true
		}
	}
	if x, ok := obj.(owner); ok {
		if v, ok := x.attr(name); ok || v != nil {
			return v, ok
		}
	}
	switch x := obj.(type) {
	case lighter.Module:
		if m, ok := x.(*module.Module); ok {
			if v, ok := h.session.lighterAttr(m, name); ok || v != nil {
				return v, ok
			}
		}
		return h.moduleAttr(x, name)
	case lighter.Metric:
		return metricAttr(x, name)
	case lighter.Scheduler:
		return schedulerAttr(x, name)
	case lighter.Optimizer, lighter.LightningOptimizer:
		return optimizerAttr(x, name)
	}
	return nil, false
}

// names are what own knows of an object.
func (h *host) names(obj any) []string {
	var all []string
	if m := h.membersOf(obj); m != nil {
		all = append(all, m.names...)
	}
	if x, ok := obj.(owner); ok {
		all = append(all, x.names()...)
	}
	switch x := obj.(type) {
	case named:
		for class := range classes {
			if rest, ok := strings.CutPrefix(class, x.FullName()+"."); ok {
				all = append(all, rest)
			}
		}
	case lighter.Module:
		if _, ok := x.(*module.Module); ok {
			all = append(append(all, lighterNames...), runNames()...)
		}
		all = append(all, keys(moduleMethods)...)
	case lighter.Metric:
		all = append(all, metricNames...)
	case lighter.Scheduler:
		all = append(all, schedulerNames...)
	case lighter.Optimizer, lighter.LightningOptimizer:
		all = append(all, optimizerNames...)
	}
	return all
}

// SetAttr is obj.name = v.
func (h *host) SetAttr(obj any, name string, v any) error {
	if x, ok := obj.(owner); ok {
		if done, err := x.setAttr(name, v); done || err != nil {
			return err
		}
	}
	if m, ok := obj.(lighter.Module); ok {
		if done, err := setModuleAttr(m, name, v); done || err != nil {
			return err
		}
		if h.membersOf(obj) == nil {
			h.attributes[m] = &members{}
			h.session.holders = append(h.session.holders, h.attributes[m])
		}
	}
	if m := h.membersOf(obj); m != nil {
		if m.frozen {
			return fmt.Errorf("cannot set '%s' of a %s that is built: the threads of a loader share it", name, lighter.TypeName(obj))
		}
		if _, isFunction := v.(*expr.Function); !isFunction {
			v = h.session.runtime.Hold(v)
		}
		m.set(name, v)
		return nil
	}
	if s, ok := h.Host.(expr.Setter); ok {
		return s.SetAttr(obj, name, v)
	}
	return fmt.Errorf("'%s' object has no attributes that can be set: '%s'", lighter.TypeName(obj), name)
}

// SetIndex is obj[i] = v.
func (h *host) SetIndex(obj, i, v any) error {
	if g, ok := obj.(paramGroup); ok {
		return g.set(i, v)
	}
	if s, ok := h.Host.(expr.Setter); ok {
		return s.SetIndex(obj, i, v)
	}
	return fmt.Errorf("'%s' object does not support item assignment", lighter.TypeName(obj))
}

// DelAttr is del obj.name.
func (h *host) DelAttr(obj any, name string) error {
	if m, ok := obj.(lighter.Module); ok && dropModuleAttr(m, name) {
		return nil
	}
	if m := h.membersOf(obj); m != nil && m.drop(name) {
		return nil
	}
	if d, ok := h.Host.(expr.Deleter); ok {
		return d.DelAttr(obj, name)
	}
	return fmt.Errorf("'%s' object has no attribute '%s'", lighter.TypeName(obj), name)
}

// DelIndex is del obj[i].
func (h *host) DelIndex(obj, i any) error {
	if d, ok := h.Host.(expr.Deleter); ok {
		return d.DelIndex(obj, i)
	}
	return fmt.Errorf("'%s' object doesn't support item deletion", lighter.TypeName(obj))
}

// Index is obj[i]; of a data set a sample.
func (h *host) Index(obj, i any) (any, error) {
	if d, ok := obj.(lighter.Dataset); ok {
		return sample(d, i)
	}
	return h.Host.Index(obj, i)
}

// Binary is x op y.
func (h *host) Binary(op string, x, y any) (any, bool, error) {
	if o, ok := h.Host.(expr.Operator); ok {
		return o.Binary(op, x, y)
	}
	return nil, false, nil
}

// Unary is op x.
func (h *host) Unary(op string, x any) (any, bool, error) {
	if o, ok := h.Host.(expr.Operator); ok {
		return o.Unary(op, x)
	}
	return nil, false, nil
}

// InPlace is x op= y.
func (h *host) InPlace(op string, x, y any) (any, bool, error) {
	if o, ok := h.Host.(expr.InPlace); ok {
		return o.InPlace(op, x, y)
	}
	return nil, false, nil
}

// Iter starts an iteration over an object; over a data set, its samples.
func (h *host) Iter(obj any) (next func() (any, bool, error), ok bool) {
	if d, ok := obj.(lighter.Dataset); ok {
		i := 0
		return func() (any, bool, error) {
			if i >= d.Len() {
				return nil, false, nil
			}
			v, err := d.Item(i)
			i++
			return v, err == nil, err
		}, true
	}
	if x, ok := obj.(registry.Iterable); ok { // as of parameters(), for next()
		items := x.Iterate()
		return func() (any, bool, error) {
			if len(items) == 0 {
				return nil, false, nil
			}
			v := items[0]
			items = items[1:]
			return v, true, nil
		}, true
	}
	if o, ok := h.Host.(expr.Iterator); ok {
		return o.Iter(obj)
	}
	return nil, false
}

// isClass are the kinds of components that are classes, and not functions, to Python's users.
var isClass = map[reflect.Type]bool{
	reflect.TypeFor[lighter.Module](): true, reflect.TypeFor[lighter.Metric](): true, reflect.TypeFor[lighter.Dataset](): true,
	reflect.TypeFor[lighter.Optimizer](): true, reflect.TypeFor[lighter.Model](): true,
}

// IsInstance is isinstance(obj, class).
func (h *host) IsInstance(obj, class any) (is, ok bool) {
	if c, ok := class.(expr.Class); ok {
		switch strings.TrimPrefix(c.Name, "lightning.") {
		case "torch.nn.Module":
			_, is = obj.(lighter.Module)
		case "torchmetrics.Metric":
			_, is = obj.(lighter.Metric)
		case "torch.utils.data.Dataset":
			_, is = obj.(lighter.Dataset)
		case "torch.nn.Parameter":
			_, is = obj.(parameter)
			if t, isTensor := obj.(tensor.Tensor); isTensor {
				is = t.RequiresGrad() && t.IsLeaf()
			}
		case "lighter.LighterModule", "lighter.model.LighterModule":
			_, is = obj.(*module.Module)
		default:
			if m, isModule := obj.(lighter.Module); isModule {
				is = m.Tree().Target() == c.Name
			} else if m, isMetric := obj.(lighter.Metric); isMetric {
				is = m.Name() == lastPart(c.Name)
			}
		}
		return is, true
	}
	if c, ok := h.Host.(expr.Classifier); ok {
		return c.IsInstance(obj, class)
	}
	return false, false
}

// sample is a data set's [i].
func sample(d lighter.Dataset, i any) (any, error) {
	at, ok := i.(int64)
	if !ok {
		return nil, fmt.Errorf("a data set's index must be an int, got %s", lighter.TypeName(i))
	}
	n := int64(d.Len())
	if at < -n || at >= n {
		return nil, fmt.Errorf("index %d is out of range: the data set has %d samples", at, n)
	}
	if at < 0 {
		at += n
	}
	return d.Item(int(at))
}
