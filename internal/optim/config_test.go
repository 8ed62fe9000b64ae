package optim

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/model" // the networks of the configurations
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

const network = `
network:
  _target_: torch.nn.Sequential
  _args_:
    - {_target_: torch.nn.Linear, in_features: 4, out_features: 3}
    - {_target_: torch.nn.ReLU}
    - {_target_: torch.nn.Linear, in_features: 3, out_features: 2, bias: false}
`

// What users write for `params`, and how many parameters each group gets.
func TestParamsInAConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		params string
		want   []int
	}{
		"all":       {`"$@network.parameters()"`, []int{3}},
		"one layer": {`"$@network[0].parameters()"`, []int{2}},
		"by name":   {`"$[p for n, p in @network.named_parameters() if n.endswith('bias')]"`, []int{1}},
		"one":       {`["$@network[0].weight"]`, []int{1}},
		"groups":    {`[{params: "$@network[0].parameters()", lr: 0.5}, {params: "$@network[2].parameters()", weight_decay: 0}]`, []int{2, 1}},
		"joined":    {`"$list(@network[0].parameters()) + list(@network[2].parameters())"`, []int{3}},
	} {
		t.Run(name, func(t *testing.T) {
			tensortest.Scope(t)
			file := filepath.Join(t.TempDir(), "config.yaml")
			text := network + "optimizer:\n  _target_: torch.optim.adam.Adam\n  lr: 0.01\n  params: " + c.params + "\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, problems := config.Compose(file)
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			b := registry.NewBuild(cfg, registry.Env{})
			defer b.Close()
			o, err := registry.Get[lighter.Optimizer](b, "optimizer")
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Groups()) != len(c.want) {
				t.Fatalf("there are %d groups, want %d", len(o.Groups()), len(c.want))
			}
			for i, g := range o.Groups() {
				if len(g.Params) != c.want[i] {
					t.Errorf("group %d has %d parameters, want %d", i, len(g.Params), c.want[i])
				}
			}
			if lr := o.Groups()[0].LR(); name == "groups" && lr != 0.5 {
				t.Errorf("lr of the first group is %v, want 0.5", lr)
			}
		})
	}
}
