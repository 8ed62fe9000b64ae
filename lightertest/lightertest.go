// Package lightertest tests components: [Run] checks what every component must keep, and what its kind must.
//
//	func TestComponents(t *testing.T) { lightertest.Run(t, "mine.") }
package lightertest

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
)

// Case is how a component is built and what it is tried with. A component without one is built from its defaults. Required
// arguments of the types [lighter.Params] and [lighter.Optimizer] are given parameters and an optimizer by Run.
type Case struct {
	Target string
	// Args are the arguments by name, with int64 and float64 for numbers. What a component keeps or changes is made anew in it.
	Args func() map[string]any
	// Input is what a module's Forward or a transform's Apply takes; none leaves out what needs it.
	Input func() []lighter.Value
	// Batches are (prediction, target) pairs for a metric; none leaves out what needs them.
	Batches func() [][2]lighter.Value
	// Loss is what an optimizer minimises, of one of its parameters; nil is the sum of its squares.
	Loss func(p tensor.Tensor) tensor.Tensor
	// Ordered is a metric whose value depends on how samples come in batches.
	Ordered bool
}

// Run checks the components of this program whose target begins with prefix:
//   - every declaration is complete: names, help, defaults that the configuration gives back, prose;
//   - each builds twice, as what it is registered as, does not change its defaults, and leaves no tensor when it is closed;
//   - wrong, missing, unknown and absurd arguments are errors, not panics;
//   - modules and optimizers take over each other's state and then do the same; schedulers and metrics go on from it;
//   - metrics give the same after a Reset, and, unless Ordered, however samples come in batches;
//   - data sets give every item, the same to several goroutines at once (go test -race sees more);
//   - transforms draw from their Rand alone and leave their input as it is;
//   - callbacks and loggers get through what a run asks of them.
func Run(t *testing.T, prefix string, cases ...Case) {
	t.Helper()
	byTarget := map[string]Case{}
	for _, c := range cases {
		if _, ok := registry.Lookup(c.Target); !ok {
			t.Errorf("%s has a case but is not registered: does the test import its package?", c.Target)
		}
		byTarget[c.Target] = c
	}
	found := false
	for _, e := range registry.All() {
		if strings.HasPrefix(e.Target, prefix) {
			found = true
			c := byTarget[e.Target]
			c.Target = e.Target
			RunOne(t, c)
		}
	}
	if !found {
		t.Errorf("no component begins with %q", prefix)
	}
}

// RunOne is [Run] for the component of a case alone.
func RunOne(t *testing.T, c Case) {
	t.Helper()
	if err := registry.Faults(); err != nil {
		t.Fatal(err)
	}
	e, ok := registry.Lookup(c.Target)
	if !ok {
		t.Fatalf("%s is not registered: does the test import its package?", c.Target)
	}
	t.Run(c.Target, func(t *testing.T) { run(t, e, c) })
}

func run(t *testing.T, e *registry.Entry, c Case) {
	t.Chdir(t.TempDir()) // what loggers write
	b := &bench{T: t, entry: e, c: c}
	live := tensor.Live()
	s := tensor.Open()
	registrytest.Component(t, e, b.args())
	s.Close()
	if t.Failed() {
		return
	}
	for _, check := range []func(*bench){built, module, metric, dataset, transform, optimizer, scheduler, callback, logger} {
		b.within(check)
	}
	if n := tensor.Live() - live; n > 0 {
		t.Errorf("%d tensor handles are left when everything is closed", n)
	}
}

// bench is where one component is tried.
type bench struct {
	*testing.T
	entry  *registry.Entry
	c      Case
	closes []io.Closer
}

// within runs a check in a scope, and then closes what was built in it. An operation's error fails the test.
func (b *bench) within(check func(*bench)) {
	b.Helper()
	s := tensor.Open()
	defer s.Close()
	err := tensor.Catch(func() { check(b) })
	for _, c := range b.closes {
		if err := c.Close(); err != nil {
			b.Errorf("Close: %v", err)
		}
	}
	b.closes = nil
	if err != nil {
		b.Errorf("an operation fails: %v", err)
	}
}

var (
	paramsType    = reflect.TypeFor[lighter.Params]()
	optimizerType = reflect.TypeFor[lighter.Optimizer]()
)

// args are the case's arguments, with what Run gives.
func (b *bench) args() map[string]any {
	args := map[string]any{}
	if b.c.Args != nil {
		for k, v := range b.c.Args() {
			args[k] = v
		}
	}
	for _, f := range b.entry.Fields {
		if _, given := args[f.Name]; given || !f.Required {
			continue
		}
		switch f.Type {
		case paramsType:
			args[f.Name] = []any{parameter(1, -2, 3), parameter(0.5)}
		case optimizerType:
			args[f.Name] = &still{}
		}
	}
	return args
}

func parameter(values ...float64) tensor.Tensor {
	return tensor.FromSlice(values, int64(len(values))).To(tensor.Device{}, tensor.Float32).SetRequiresGrad(true)
}

// build builds the component from args, nil for the case's.
func (b *bench) build(args map[string]any) any {
	b.Helper()
	if args == nil {
		args = b.args()
	}
	v, err := registry.New[any](b.entry.Target, &registry.Env{Stage: "fit"}, args)
	if err != nil {
		b.Fatalf("it does not build: %v", err)
	}
	if c, ok := v.(io.Closer); ok {
		b.closes = append(b.closes, c)
	}
	return v
}

// buildAs builds the component where it is a K.
func buildAs[K any](b *bench) (K, bool) {
	var none K
	if !b.entry.Kind.Implements(reflect.TypeFor[K]()) {
		return none, false
	}
	k, ok := b.build(nil).(K)
	return k, ok
}

// built: what was built is closed without an error.
func built(b *bench) { b.build(nil) }

// Equal compares two values, with what they hold: tensors by type, shape and elements, where NaN equals NaN.
func Equal(a, b lighter.Value) bool {
	switch x := a.(type) {
	case tensor.Tensor:
		y, ok := b.(tensor.Tensor)
		return ok && x.Defined() == y.Defined() && (!x.Defined() || x.DType() == y.DType() && x.SameShape(y.Shape()) && same(x, y))
	case lighter.List:
		y, ok := b.(lighter.List)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case lighter.Dict:
		y, ok := b.(lighter.Dict)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if _, there := y[k]; !there || !Equal(x[k], y[k]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func same(x, y tensor.Tensor) bool {
	if !x.IsFloat() {
		return string(x.Bytes()) == string(y.Bytes())
	}
	a, b := tensor.Values[float64](x), tensor.Values[float64](y)
	for i := range a {
		if a[i] != b[i] && !(a[i] != a[i] && b[i] != b[i]) {
			return false
		}
	}
	return true
}

// shown is a value for a message: small tensors with their elements.
func shown(v lighter.Value) string {
	switch x := v.(type) {
	case tensor.Tensor:
		if x.Defined() && x.Numel() <= 8 {
			return fmt.Sprintf("%v%v", x, tensor.Values[float64](x))
		}
	case lighter.List:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = shown(x[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case lighter.Dict:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, k+": "+shown(x[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}
