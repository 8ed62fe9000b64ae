package registry

import (
	"runtime/debug"
	"strings"
	"testing"
)

type width struct {
	N int `cfg:"n" help:"how wide"`
}

func (w width) Build(*Env) (int, error) { return w.N, nil }

type untold struct {
	N int `cfg:"n"`
}

func (untold) Build(*Env) (int, error) { return 0, nil }

type pointed struct{}

func (*pointed) Build(*Env) (int, error) { return 0, nil }

// TestFaults: a wrong declaration does not end the program where it stands, but is told with who made it.
func TestFaults(t *testing.T) {
	defer func(known []error) { faults = known }(faults)
	for _, c := range []struct {
		name     string
		register func()
		want     string
	}{
		{"taken", func() { Register[int]("test.Width", width{}); Register[int]("test.Width", width{}) }, "the name test.Width is taken twice: by " + ownModule + "/internal/registry"},
		{"alias taken", func() { Register[int]("test.Other", width{}, "test.Width") }, "the name test.Width is taken twice"},
		{"no name", func() { Register[int]("test.my width", width{}) }, `the name "test.my width" is none`},
		{"no help", func() { Register[int]("test.Untold", untold{}) }, "test.Untold, registered by " + ownModule + "/internal/registry: field N needs a help tag"},
		{"pointer", func() { Register[int]("test.Pointed", &pointed{}) }, "must be a struct"},
	} {
		faults = nil
		c.register()
		if err := Faults(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if e, ok := Lookup("test.Untold"); ok {
		t.Errorf("%s is registered all the same", e.Target)
	}
	for _, name := range []string{"test.Width", "test.Other"} {
		if e, ok := Lookup(name); !ok || e.Package() != ownModule+"/internal/registry" || !e.Own() {
			t.Errorf("%s is not registered by this package", name)
		}
		delete(entries, name)
	}
}

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"example.com/mine/layers.init.0":         "example.com/mine/layers",
		"mine.init":                              "mine",
		"example.com/mine%2ev2.(*Loss).Forward":  "example.com/mine.v2",
		"gopkg.in/one%2ev1.init.func1":           "gopkg.in/one.v1",
		"example.com/a.b/layers.Registered[...]": "example.com/a.b/layers",
	} {
		if got := packageOf(function); got != want {
			t.Errorf("%s is of %q, want %q", function, got, want)
		}
	}
}

// TestModule: the longest module that holds a package is its.
func TestModule(t *testing.T) {
	known := modules
	defer func() { modules = known }()
	modules = func() []*debug.Module {
		return []*debug.Module{{Path: "example.com/a", Version: "v1.0.0"}, {Path: "example.com/a/b", Version: "(devel)"}, {Path: "mine"}}
	}
	for pkg, want := range map[string]string{
		"example.com/a/layers": "example.com/a@v1.0.0", "example.com/a": "example.com/a@v1.0.0", "example.com/a/b/c": "example.com/a/b",
		"example.com/ab": "", "mine/loss": "mine",
	} {
		if got := Module(pkg); got != want {
			t.Errorf("%s is of module %q, want %q", pkg, got, want)
		}
	}
}
