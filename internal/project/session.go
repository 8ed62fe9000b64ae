package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

// session is the project's code in one build of a configuration: its files run once in it.
type session struct {
	project *Project
	host    *host
	runtime *expr.Runtime
	modules map[string]*expr.Module
	loading []string        // the files that are running, each loaded by the one before
	holders []*members      // of all objects
	env     *registry.Env   // of the component that is being built
	trainer lighter.Trainer // of the stage that runs
}

// namespaces are what files see of the program, beside Python's functions.
var namespaces = []string{"torch", "torchvision", "torchmetrics", "pytorch_lightning", "lightning", "lighter"}

// in gives the session of the build that env belongs to.
func (p *Project) in(env *registry.Env) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	base := env.Host()
	if p.session != nil && p.session.host.Host == base {
		return p.session
	}
	s := &session{project: p, modules: map[string]*expr.Module{}, env: env}
	s.host = &host{Host: base, session: s, attributes: map[any]*members{}}
	names := map[string]any{"math": expr.Math(), "super": expr.KwFunc(s.super)}
	for _, name := range namespaces {
		if v := s.namespace(name); v != nil {
			names[name] = v
		}
	}
	s.runtime = expr.NewRuntime(expr.Options{
		Host: s.host, Names: names, Load: s.load, Steps: p.limits.Steps, Memory: p.limits.Memory,
		Roots: s.roots,
		Print: func(at diag.Pos, text string) { p.log.Info().Msgf("%s:%d: %s", at.Source, at.Line, text) },
	})
	p.session = s
	return s
}

// roots are what user code has set on objects.
func (s *session) roots(visit func(held any)) {
	for _, m := range s.holders {
		if m.frozen {
			continue
		}
		for _, name := range m.names {
			visit(m.values[name])
		}
	}
}

// namespace is a module of components, "torch"; nil when the program has none of them.
func (s *session) namespace(name string) any {
	m, ok := s.host.Host.(interface{ Module(string) (any, bool) })
	if !ok {
		return nil
	}
	v, ok := m.Module(name)
	if !ok {
		return nil
	}
	return v
}

// className is what an object made by user code is an instance of: the function that makes it, "project.models.unet.UNet".
func (s *session) className(class string) string {
	file, function := s.runtime.Caller()
	if function == "" || function == "lambda" || function == "<toplevel>" {
		return class
	}
	return "project." + strings.ReplaceAll(strings.TrimSuffix(file, extension), "/", ".") + "." + function
}

// origin is what of the configuration is being built; "" outside of that.
func (s *session) origin() string {
	if s.env == nil || !s.env.Pos.IsValid() {
		return ""
	}
	return fmt.Sprintf("built by %s, in %s", s.env.Pos, s.env.Path)
}

// building makes env that of the component under way, until the function it returns is called.
func (s *session) building(env *registry.Env) (done func()) {
	was := s.env
	s.env = env
	return func() { s.env = was }
}

// run executes a file, once.
func (s *session) run(f *file) (*expr.Module, error) {
	if m := s.modules[f.name]; m != nil {
		return m, nil
	}
	if i := slices.Index(s.loading, f.name); i >= 0 {
		return nil, fmt.Errorf("files load each other in a circle: %s", strings.Join(append(s.loading[i:], f.name), " -> "))
	}
	s.loading = append(s.loading, f.name)
	defer func() { s.loading = s.loading[:len(s.loading)-1] }()
	m, err := s.runtime.Run(f.code)
	if err != nil {
		return nil, err
	}
	s.modules[f.name] = m
	return m, nil
}

// load is a file's load() of another.
func (s *session) load(path string) (*expr.Module, error) {
	f, err := s.project.load(path)
	if err != nil {
		return nil, err
	}
	return s.run(f)
}
