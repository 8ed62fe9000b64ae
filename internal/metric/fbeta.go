package metric

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
)

// The classes of FBetaScore take beta before all else.

type binaryBeta struct {
	Beta float64 `cfg:"beta,required" help:"weight of recall against precision"`
	Binary
}

// Validate implements the registry's Validator.
func (c binaryBeta) Validate() error { return cmp.Or(checkBeta(c.Beta), c.Binary.Validate()) }

// Build implements the registry's Builder.
func (c binaryBeta) Build(env *lighter.Env) (lighter.Metric, error) {
	c.beta = c.Beta
	return c.Binary.Build(env)
}

type multiclassBeta struct {
	Beta float64 `cfg:"beta,required" help:"weight of recall against precision"`
	Multiclass
}

// Validate implements the registry's Validator.
func (c multiclassBeta) Validate() error { return cmp.Or(checkBeta(c.Beta), c.Multiclass.Validate()) }

// Build implements the registry's Builder.
func (c multiclassBeta) Build(env *lighter.Env) (lighter.Metric, error) {
	c.beta = c.Beta
	return c.Multiclass.Build(env)
}

type multilabelBeta struct {
	Beta float64 `cfg:"beta,required" help:"weight of recall against precision"`
	Multilabel
}

// Validate implements the registry's Validator.
func (c multilabelBeta) Validate() error { return cmp.Or(checkBeta(c.Beta), c.Multilabel.Validate()) }

// Build implements the registry's Builder.
func (c multilabelBeta) Build(env *lighter.Env) (lighter.Metric, error) {
	c.beta = c.Beta
	return c.Multilabel.Build(env)
}

type byTaskBeta struct {
	score score
	Task  string  `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	Beta  float64 `cfg:"beta" help:"weight of recall against precision"`
	TaskArguments
}

func (c byTaskBeta) byTask() byTask { return byTask{c.score, c.Beta, c.Task, c.TaskArguments} }

// Doc is the component's prose.
func (c byTaskBeta) Doc() string { return c.byTask().Doc() }

// Validate implements the registry's Validator.
func (c byTaskBeta) Validate() error { return cmp.Or(checkBeta(c.Beta), c.byTask().Validate()) }

// Build implements the registry's Builder.
func (c byTaskBeta) Build(env *lighter.Env) (lighter.Metric, error) { return c.byTask().Build(env) }

func checkBeta(beta float64) error {
	if !(beta > 0) {
		return lighter.FieldError("beta", "Expected argument `beta` to be a float larger than 0, but got %s.", expr.Float(beta))
	}
	return nil
}
