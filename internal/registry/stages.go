package registry

import (
	"maps"
	"slices"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
)

// CheckStages checks a configuration for each of several stages and reports every problem once: a warning of one stage
// that is an error in another is the error.
func CheckStages(c *config.Config, env Env, stages []string, roots ...Root) Report {
	var all Report
	all.paths = map[string]bool{}
	for _, stage := range stages {
		env.Stage = stage
		r := Check(c, env, roots...)
		maps.Copy(all.paths, r.paths)
		all.Problems.Add(r.Problems...)
	}
	all.Components = len(all.paths)
	errors := map[place]bool{}
	for _, p := range all.Problems {
		if p.Severity == diag.Error {
			errors[place{p.Pos, p.Msg}] = true
		}
	}
	all.Problems = slices.DeleteFunc(all.Problems, func(p diag.Diagnostic) bool {
		return p.Severity == diag.Warning && errors[place{p.Pos, p.Msg}]
	})
	all.Problems = once(all.Problems.Sort(c.Order...))
	return all
}
