package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// userProject is a project of one file with the function toy(a, b=1, *, c, **rest) and the constant limit.
type userProject struct{}

type userFunction struct{ params []expr.Param }

func (f userFunction) Params() []expr.Param  { return f.params }
func (f userFunction) IsFunction() bool      { return f.params != nil }
func (userFunction) Value(*Env) (any, error) { return int64(7), nil }

func (userFunction) Pos() diag.Pos { return diag.Pos{Source: "model.star", Line: 3, Col: 5} }

func (userFunction) Call(env *Env, args []any, kwargs []Keyword) (any, error) {
	for _, k := range kwargs {
		if k.Name == "c" && k.Value == "bad" {
			return nil, &expr.Traceback{Frames: []expr.Frame{{Function: "toy", Pos: diag.Pos{Source: "model.star", Line: 4}}}, Msg: "no such thing"}
		}
	}
	return fmt.Sprint(env.Path, args, kwargs), nil
}

func (userProject) Find(name string) (any, error) {
	switch name {
	case "project":
		return Package{name, []string{"model"}}, nil
	case "project.model":
		return Package{name, []string{"toy", "strict", "limit"}}, nil
	case "project.model.toy":
		return userFunction{[]expr.Param{{Name: "a"}, {Name: "b", Default: true}, {Name: "c", Kind: expr.KeywordOnly}, {Name: "rest", Kind: expr.VarKeywords}}}, nil
	case "project.model.strict":
		return userFunction{[]expr.Param{{Name: "width"}, {Name: "depth", Default: true}}}, nil
	case "project.model.limit":
		return userFunction{}, nil
	}
	return nil, diag.Diagnostic{Msg: "model.star defines no such name", Hint: `did you mean "toy"?`}
}

func (userProject) Sources() diag.Sources { return nil }

func TestTargetsOfTheProject(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"{_target_: project.model.toy, a: 1, c: 2}", "x[] [{a 1} {c 2}]"},
		{"{_target_: project.model.toy, z: 3, y: 4, a: 1, c: 2}", "x[] [{z 3} {y 4} {a 1} {c 2}]"},
		{"{_target_: project.model.toy, _args_: [5, 6], c: 2}", "x[5 6] [{c 2}]"},
		{"$project.model.toy(5, c=2, b=1)", "project.model.toy[5] [{b 1} {c 2}]"},
		{"$project.model.limit + 1", "8"},
		{"{_target_: project.model.toy, a: 1, b: {_target_: toy.Linear, _disabled_: true}, c: 2}", "x[] [{a 1} {c 2}]"},
	} {
		b := NewBuild(compose(t, "x: "+c.yaml+"\n"), Env{Project: userProject{}})
		v, err := b.resolver.Resolve("x")
		if err != nil || fmt.Sprint(v) != c.want {
			t.Errorf("%s: got %v (%v), want %s", c.yaml, v, err, c.want)
		}
	}
}

func TestPartialsOfTheProject(t *testing.T) {
	b := NewBuild(compose(t, "x: {_target_: project.model.toy, _mode_: callable, a: 1}\n"), Env{Project: userProject{}})
	v, err := b.resolver.Resolve("x")
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.(Func)([]any{9}, map[string]any{"a": int64(3), "c": int64(2)})
	if want := "x[9] [{a 3} {c 2}]"; err != nil || got != want {
		t.Errorf("got %v (%v), want %s", got, err, want)
	}
}

func TestFaultsInTheUseOfAProject(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"{_target_: project.model.tyo, a: 1}", `x.yaml:1:15: model.star defines no such name; did you mean "toy"?`},
		{"{_target_: project.model}", "project.model is a module, and a target names a function of one"},
		{"{_target_: project.model.strict, widht: 1}", `x.yaml:1:37: unknown field "widht" for project.model.strict: it got an unexpected keyword argument "widht"; project.model.strict is defined here at model.star:3:5`},
		{"{_target_: project.model.strict, widht: 1}", `did you mean "width"?`},
		{"{_target_: project.model.strict}", `project.model.strict is missing a required argument: "width"`},
		{"{_target_: project.model.strict, _args_: [1, 2, 3]}", "project.model.strict takes 2 positional arguments but 3 were given"},
		{"{_target_: project.model.strict, _args_: [1], width: 2}", `got multiple values for argument "width"`},
		{"{_target_: project.model.toy, a: '$1/0', c: 2}", "division by zero"},
		{"{_target_: project.model.toy, a: 1, c: bad}", "project.model.toy: no such thing; Traceback (most recent call last):   model.star:4, in toy no such thing"},
		{"$project.model.tyo(1)", `did you mean "toy"?`},
	} {
		cfg := compose(t, "x: "+c.yaml+"\n")
		b := NewBuild(cfg, Env{Project: userProject{}})
		_, err := b.resolver.Resolve("x")
		var all string
		for _, d := range diag.AsList(err) {
			d.Pos.Source = "x.yaml"
			all += d.Line() + "\n"
		}
		if !strings.Contains(all, c.want) {
			t.Errorf("%s: got\n%swant %s", c.yaml, all, c.want)
		}
	}
}

func TestCheckingCallsNothing(t *testing.T) {
	c := compose(t, "run: {_target_: toy.Trainer, network: {_target_: project.model.toy, a: 1, c: bad}}\n")
	if r := Check(c, Env{Project: userProject{}}, root); r.Problems.HasErrors() || r.Components != 2 {
		t.Errorf("got %d components and %v", r.Components, r.Problems)
	}
}
