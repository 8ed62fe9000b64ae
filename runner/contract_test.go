package runner_test

import (
	"testing"

	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/lightertest"
)

func TestProbe(t *testing.T) {
	for _, e := range registry.All() {
		ok := true
		for _, f := range e.Fields {
			if f.Required && f.Type.String() != "lighter.Params" && f.Type.String() != "lighter.Optimizer" {
				ok = false
			}
		}
		if ok {
			lightertest.Run(t, e.Target)
		}
	}
}
