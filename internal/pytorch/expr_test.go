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
		{"torch.nn.init.uniform_(torch.empty(3), -1, 1, generator=torch.Generator().manual_seed(1))", "tensor([ 0.5153, -0.4414, -0.1939])"},
		{"torch.nn.init.normal_(torch.empty(3), std=2, generator=torch.Generator().manual_seed(1))", "tensor([1.3227, 0.5338, 0.1234])"},
		{"torch.nn.init.trunc_normal_(torch.empty(4), std=2, generator=torch.Generator().manual_seed(1))", "tensor([ 0.9124, -0.7742, -0.3333,  0.8261])"},
		{"torch.nn.init.constant_(torch.empty(2), 3)", "tensor([3., 3.])"},
		{"torch.nn.init.ones_(torch.empty(2))", "tensor([1., 1.])"},
		{"torch.nn.init.zeros_(torch.empty(2))", "tensor([0., 0.])"},
		{"torch.nn.init.eye_(torch.empty(2, 3))", "tensor([[1., 0., 0.],\n        [0., 1., 0.]])"},
		{"torch.nn.init.xavier_uniform_(torch.empty(2, 3), gain=2, generator=torch.Generator().manual_seed(1))", "tensor([[ 1.1289, -0.9670, -0.4247],\n        [ 1.0283, -2.0626,  1.3139]])"},
		{"torch.nn.init.xavier_normal_(torch.empty(1, 2, 2), generator=torch.Generator().manual_seed(1))", "tensor([[[0.3818, 0.1541],\n         [0.0356, 0.3587]]])"},
		{"torch.nn.init.kaiming_uniform_(torch.empty(2, 3), a=1, generator=torch.Generator().manual_seed(1))", "tensor([[ 0.5153, -0.4414, -0.1939],\n        [ 0.4694, -0.9414,  0.5997]])"},
		{"torch.nn.init.kaiming_normal_(torch.empty(1, 3), mode='fan_out', nonlinearity='relu', generator=torch.Generator().manual_seed(1))", "tensor([[0.9353, 0.3775, 0.0872]])"},
		{"torch.nn.init.calculate_gain('leaky_relu', 0.2)", "1.3867504905630728"},
		{"torch.nn.init.calculate_gain('tanh')", "1.6666666666666667"},
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
