package registry

import (
	"cmp"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// origin is where a component is registered: program counters, which are resolved when somebody asks.
type origin []uintptr

// callers is the origin of a registration by the caller's caller.
func callers() origin {
	pcs := make(origin, 8)
	return pcs[:runtime.Callers(3, pcs)]
}

var (
	ownModule   = strings.TrimSuffix(reflect.TypeFor[Entry]().PkgPath(), "/internal/registry")
	registering = []string{ownModule + ".Register[", ownModule + "/internal/registry.Register["}
)

// pkg is the import path of the package that registers.
func (o origin) pkg() string {
	frames := runtime.CallersFrames(o)
	for more := len(o) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if !strings.HasPrefix(f.Function, registering[0]) && !strings.HasPrefix(f.Function, registering[1]) {
			return packageOf(f.Function)
		}
	}
	return ""
}

// packageOf is the import path in a function's name, "example.com/mine/layers.init.0": the linker escapes dots of its last part.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + strings.ReplaceAll(name, "%2e", ".")
}

// Package is the import path of the package that registered the component.
func (e *Entry) Package() string { return e.origin.pkg() }

// Own says whether the component is one of lighter's own module, not of a module that a program adds.
func (e *Entry) Own() bool {
	rest, ok := strings.CutPrefix(e.Package(), ownModule)
	return ok && (rest == "" || rest[0] == '/')
}

// Module is the module that a package of this program is from, with its version where it has one: "example.com/mine@v1.2.3".
func Module(pkg string) string { return moduleOf(pkg).name() }

// module is a module of a program; version is "" for a folder's.
type module struct{ path, version string }

func (m module) name() string {
	if m.version == "" {
		return m.path
	}
	return m.path + "@" + m.version
}

// moduleOf is the module that a package of this program is from, nothing when that is not known.
func moduleOf(pkg string) (found module) {
	for _, m := range modules() {
		if rest, ok := strings.CutPrefix(pkg, m.Path); ok && (rest == "" || rest[0] == '/') && len(m.Path) > len(found.path) {
			found = module{m.Path, strings.TrimSuffix(m.Version, "(devel)")}
		}
	}
	return found
}

var modules = sync.OnceValue(func() []*debug.Module {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	return append(info.Deps, &info.Main)
})

// Source is where the component comes from, for messages: its package, and the module where that has another name or a version.
func (e *Entry) Source() string {
	pkg := cmp.Or(e.Package(), "an unknown package")
	switch m := moduleOf(pkg); {
	case m.path == "" || m.path == ownModule:
		return pkg
	case m.path == pkg:
		return m.name()
	default:
		return pkg + " of module " + m.name()
	}
}
