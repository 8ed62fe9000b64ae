package adapter

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

func TestContract(t *testing.T) {
	tensortest.Scope(t)
	registrytest.Contract(t, "lighter.adapters.", map[string]registrytest.Args{
		"lighter.adapters.BatchAdapter":     {"input_accessor": int64(0)},
		"lighter.adapters.CriterionAdapter": {"pred_argument": int64(0), "target_argument": int64(1)},
		"lighter.adapters.MetricsAdapter":   {"pred_argument": int64(0), "target_argument": int64(1)},
		"lighter.adapters.LoggingAdapter":   {},
	})
}

// func1 is a function as an expression gives it.
func func1(f func(any) any) registry.Func {
	return func(args []any, _ map[string]any) (any, error) { return f(args[0]), nil }
}

func TestBatches(t *testing.T) {
	first := func1(func(v any) any { return v.([]any)[0] })
	key := func1(func(v any) any { return v.(*config.Dict).Get("x") })
	pair := lighter.List{"a", "b"}
	dict := lighter.Dict{"x": "a", "y": "b", "id": "c"}
	for _, c := range []struct {
		args  registrytest.Args
		batch lighter.Value
		want  string
		err   string
	}{
		{registrytest.Args{"input_accessor": int64(0), "target_accessor": int64(1)}, pair, "a b <nil>", ""},
		{registrytest.Args{"input_accessor": int64(1), "target_accessor": int64(-2)}, pair, "b a <nil>", ""},
		{registrytest.Args{"input_accessor": "x", "target_accessor": "y", "identifier_accessor": "id"}, dict, "a b c", ""},
		{registrytest.Args{"input_accessor": int64(0)}, pair, "a <nil> <nil>", ""},
		{registrytest.Args{"input_accessor": first}, pair, "a <nil> <nil>", ""},
		{registrytest.Args{"input_accessor": key}, dict, "a <nil> <nil>", ""},
		{registrytest.Args{"input_accessor": int64(2)}, pair, "", "list index out of range"},
		{registrytest.Args{"input_accessor": "z"}, dict, "", `KeyError: the batch has the keys ["id" "x" "y"]`},
		{registrytest.Args{"input_accessor": int64(0)}, dict, "", "Invalid accessor 0 of type int for data type dict."},
		{registrytest.Args{"input_accessor": "x"}, pair, "", "Invalid accessor x of type str for data type list."},
	} {
		a, err := registry.New[*BatchAdapter]("lighter.adapters.BatchAdapter", &lighter.Env{}, c.args)
		if err != nil {
			t.Fatal(err)
		}
		input, target, id, err := a.Split(c.batch)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v of %v: %v, want %q", c.args, c.batch, err, c.err)
			}
			continue
		}
		if got := fmt.Sprint(input, " ", target, " ", id); err != nil || got != c.want {
			t.Errorf("%v of %v: %s, %v; want %s", c.args, c.batch, got, err, c.want)
		}
	}
}

func TestArguments(t *testing.T) {
	upper := func1(func(v any) any { return strings.ToUpper(v.(string)) })
	twice := func1(func(v any) any { return v.(string) + v.(string) })
	for _, c := range []struct {
		args   registrytest.Args
		list   lighter.List
		kwargs lighter.Dict
	}{
		{registrytest.Args{"pred_argument": int64(0), "target_argument": int64(1)}, lighter.List{"p", "t"}, lighter.Dict{}},
		{registrytest.Args{"pred_argument": int64(1), "target_argument": int64(0)}, lighter.List{"t", "p"}, lighter.Dict{}},
		{registrytest.Args{"pred_argument": int64(2), "target_argument": int64(1), "input_argument": int64(0)}, lighter.List{"i", "t", "p"}, lighter.Dict{}},
		{registrytest.Args{"pred_argument": "input", "target_argument": "target"}, nil, lighter.Dict{"input": "p", "target": "t"}},
		{registrytest.Args{"pred_argument": int64(0), "pred_transforms": []any{upper, twice}}, lighter.List{"PP"}, lighter.Dict{}},
		{registrytest.Args{"input_argument": "x", "input_transforms": twice}, nil, lighter.Dict{"x": "ii"}},
	} {
		a, err := registry.New[*CriterionAdapter]("lighter.adapters.CriterionAdapter", &lighter.Env{}, c.args)
		if err != nil {
			t.Fatal(err)
		}
		list, kwargs, err := a.Arguments("i", "t", "p")
		if err != nil || !reflect.DeepEqual(list, c.list) || !reflect.DeepEqual(kwargs, c.kwargs) {
			t.Errorf("%v: %v %v %v", c.args, list, kwargs, err)
		}
	}
}

func TestMistakesOfArguments(t *testing.T) {
	upper := func1(func(v any) any { return v })
	for _, c := range []struct {
		args registrytest.Args
		want string
	}{
		{registrytest.Args{"pred_argument": int64(1)}, "Positional arguments must be consecutive integers starting from 0."},
		{registrytest.Args{"pred_argument": int64(0), "target_argument": int64(2)}, "Positional arguments must be consecutive"},
		{registrytest.Args{"pred_transforms": upper}, "Pred transforms provided but pred_argument is None"},
		{registrytest.Args{"pred_argument": 1.5}, "must be an int, a str or null"},
		{registrytest.Args{"pred_argument": int64(0), "pred_transforms": "sigmoid"}, "Invalid transform type for transform"},
	} {
		_, err := registry.New[*MetricsAdapter]("lighter.adapters.MetricsAdapter", &lighter.Env{}, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}

func TestNamed(t *testing.T) {
	names := [][]string{{"input"}, {"target"}}
	for _, c := range []struct {
		args   lighter.List
		kwargs lighter.Dict
		want   string
	}{
		{lighter.List{"p"}, lighter.Dict{"target": "t"}, "[p t]"},
		{nil, lighter.Dict{"target": "t", "input": "p"}, "[p t]"},
		{lighter.List{"p", "t"}, lighter.Dict{"input": "x"}, "loss got multiple values for argument 'input'"},
		{nil, lighter.Dict{"weight": "x"}, `loss got an unexpected keyword argument 'weight': it takes ["input" "target"]`},
	} {
		got, err := Named("loss", c.args, c.kwargs, names...)
		text := fmt.Sprint(got)
		if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%v %v: %s, want %s", c.args, c.kwargs, text, c.want)
		}
	}
}
