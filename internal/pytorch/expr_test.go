package pytorch_test

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/data"
	_ "github.com/lighter-go/lighter/internal/model"
	"github.com/lighter-go/lighter/internal/pytorch"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// eval is the value of a `$` expression.
func eval(t *testing.T, expression string) (any, error) {
	t.Helper()
	c, problems := config.Compose(map[string]any{"x": "$" + expression})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return registry.Get[any](registry.NewBuild(c, registry.Env{Stage: "fit"}), "x")
}

func TestExpressions(t *testing.T) {
	for _, c := range []struct{ expression, want string }{
		{"torch.ones(2) + 1", "tensor([2., 2.])"},
		{"2 / torch.tensor([1, 2, 4])", "tensor([2.0000, 1.0000, 0.5000])"},
		{"torch.arange(6).view(2, 3).max(dim=1)[0]", "tensor([2, 5])"},
		{"torch.nn.functional.relu(torch.tensor([-1.0, 1.0]))", "tensor([0., 1.])"},
		{"torch.linalg.norm(torch.tensor([3.0, 4.0]))", "tensor(5.)"},
		{"-torch.ones(1)", "tensor([-1.])"},
		{"torch.ones(2, 3).shape", "torch.Size([2, 3])"},
		{"torch.rand(2, generator=torch.Generator().manual_seed(3)) == torch.rand(2, generator=torch.Generator().manual_seed(3))", "tensor([True, True])"},
		{"torch.no_grad()(lambda t: t * 2)(torch.ones(1))", "tensor([2.])"},
		{"torch.arange(6)[1:4]", "tensor([1, 2, 3])"},
		{"torch.arange(6).view(2, 3)[:, -1]", "tensor([2, 5])"},
		{"torch.arange(6).view(2, 3)[..., None].shape", "torch.Size([2, 3, 1])"},
		{"[int(v) for v in torch.arange(3)]", "[0, 1, 2]"},
		{"3 if torch.zeros(1).any() else 4", "4"},
		{"bool(torch.zeros(1)), not torch.zeros(1), 2 in torch.arange(3)", "[False, True, True]"},
		{"f'{torch.ones(1).sum():.2f} {torch.ones(2)}'", "'1.00 tensor([1., 1.])'"},
	} {
		tensortest.Scope(t)
		v, err := eval(t, c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if got := pytorch.Repr(v); got != c.want {
			t.Errorf("%s gives %s, want %s", c.expression, got, c.want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for _, c := range []struct{ expression, want string }{
		{"torch.ones(2).smu()", "'Tensor' object has no attribute 'smu'"},
		{"torch.rleu(torch.ones(2))", "no attribute 'rleu'"},
		{"torch.softmax(torch.ones(2), dmi=0)", "did you mean 'dim'?"},
	} {
		tensortest.Scope(t)
		_, err := eval(t, c.expression)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.expression, err, c.want)
		}
	}
}
