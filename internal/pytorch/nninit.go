package pytorch

import (
	"math"
	"strings"

	"github.com/lighter-go/lighter/tensor"
)

// torch.nn.init: the draws are PyTorch's, in its order.

func init() {
	initializer("uniform_(tensor, a=0.0, b=1.0, generator=None)", func(a *arguments) {
		run("uniform_", a.tensor(0), a.float(1), a.float(2), a.drawing(3))
	})
	initializer("normal_(tensor, mean=0.0, std=1.0, generator=None)", func(a *arguments) {
		run("normal_", a.tensor(0), a.float(1), a.float(2), a.drawing(3))
	})
	initializer("trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None)", func(a *arguments) {
		t, mean, std, low, high := a.tensor(0), a.float(1), a.float(2), a.float(3), a.float(4)
		cdf := func(x float64) float64 { return (1 + math.Erf(x/math.Sqrt(2))) / 2 }
		run("uniform_", t, 2*cdf((low-mean)/std)-1, 2*cdf((high-mean)/std)-1, a.drawing(5))
		run("erfinv_", t)
		run("mul_", t, std*math.Sqrt(2))
		run("add_", t, mean)
		run("clamp_", t, low, high)
	})
	initializer("constant_(tensor, val)", func(a *arguments) { run("fill_", a.tensor(0), a.v[1]) })
	initializer("ones_(tensor)", func(a *arguments) { run("fill_", a.tensor(0), 1.0) })
	initializer("zeros_(tensor)", func(a *arguments) { run("zero_", a.tensor(0)) })
	initializer("eye_(tensor)", func(a *arguments) {
		t := a.tensor(0)
		if t.Dim() != 2 {
			a.fail("Only tensors with 2 dimensions are supported, not %s", describe(t))
		}
		run("copy_", t, one("eye", t.Size(0), t.Size(1)))
	})
	initializer("dirac_(tensor, groups=1)", dirac)
	initializer("xavier_uniform_(tensor, gain=1.0, generator=None)", func(a *arguments) {
		in, out := fans(a)
		bound := math.Sqrt(3) * a.float(1) * math.Sqrt(2/(in+out))
		run("uniform_", a.tensor(0), -bound, bound, a.drawing(2))
	})
	initializer("xavier_normal_(tensor, gain=1.0, generator=None)", func(a *arguments) {
		in, out := fans(a)
		run("normal_", a.tensor(0), 0.0, a.float(1)*math.Sqrt(2/(in+out)), a.drawing(2))
	})
	const kaiming = "(tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None)"
	initializer("kaiming_uniform_"+kaiming, func(a *arguments) {
		bound := math.Sqrt(3) * kaimingStd(a)
		run("uniform_", a.tensor(0), -bound, bound, a.drawing(4))
	})
	initializer("kaiming_normal_"+kaiming, func(a *arguments) { run("normal_", a.tensor(0), 0.0, kaimingStd(a), a.drawing(4)) })
	initializer("orthogonal_(tensor, gain=1, generator=None)", orthogonal)
	initializer("sparse_(tensor, sparsity, std=0.01, generator=None)", func(a *arguments) {
		t := a.tensor(0)
		if t.Dim() != 2 {
			a.fail("Only tensors with 2 dimensions are supported, not %s", describe(t))
		}
		rows, columns := t.Size(0), t.Size(1)
		zeros := int64(math.Ceil(a.float(1) * float64(rows)))
		run("normal_", t, 0.0, a.float(2), a.drawing(3))
		for c := range columns {
			run("index_fill_", t.Select(1, c), int64(0), one("randperm", rows).Narrow(0, 0, zeros), 0.0)
		}
	})
	def("torch.nn.init.calculate_gain(nonlinearity, param=None)", func(a *arguments) any { return gain(a, a.text(0), a.v[1]) })
}

// initializer declares a function that fills a tensor unseen by autograd and gives it back, under its older name without the
// underscore too.
func initializer(declared string, fill func(a *arguments)) {
	const module = "torch.nn.init."
	name, params, _ := strings.Cut(declared, "(")
	def(module+name+"("+params, func(a *arguments) any {
		if a.tensor(0).Numel() > 0 {
			tensor.NoGrad(func() { fill(a) })
		}
		return a.v[0]
	})
	alias(module+strings.TrimSuffix(name, "_"), module+name)
}

// drawing is the generator among the arguments.
func (a *arguments) drawing(i int) kw { return kw{"generator", a.v[i]} }

// fans are the sizes of what goes into and out of one element.
func fans(a *arguments) (in, out float64) {
	t := a.tensor(0)
	shape := t.Shape()
	if len(shape) < 2 {
		a.fail("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions: %s", describe(t))
	}
	field := 1.0
	for _, n := range shape[2:] {
		field *= float64(n)
	}
	return float64(shape[1]) * field, float64(shape[0]) * field
}

func kaimingStd(a *arguments) float64 {
	in, out := fans(a)
	switch mode := strings.ToLower(a.text(2)); mode {
	case "fan_in":
	case "fan_out":
		in = out
	default:
		a.fail("Mode %s not supported, please use one of ['fan_in', 'fan_out']", mode)
	}
	factor, _ := toFloat(gain(a, a.text(3), a.v[1]))
	return factor / math.Sqrt(in)
}

func gain(a *arguments, nonlinearity string, param any) any {
	switch nonlinearity {
	case "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid":
		return int64(1)
	case "tanh":
		return 5.0 / 3
	case "relu":
		return math.Sqrt(2)
	case "leaky_relu":
		slope := 0.01
		if param != nil {
			f, ok := toFloat(param)
			if _, isBool := param.(bool); isBool || !ok {
				a.fail("negative_slope %v not a valid number", param)
			}
			slope = f
		}
		return math.Sqrt(2 / (1 + slope*slope))
	case "selu":
		return 3.0 / 4
	}
	a.fail("Unsupported nonlinearity %s", nonlinearity)
	return nil
}

func dirac(a *arguments) {
	t, groups := a.tensor(0), a.int(1)
	shape := t.Shape()
	switch {
	case len(shape) < 3 || len(shape) > 5:
		a.fail("Only tensors with 3, 4, or 5 dimensions are supported, not %s", describe(t))
	case groups <= 0 || shape[0]%groups != 0:
		a.fail("dim 0 must be divisible by groups: %d by %d", shape[0], groups)
	}
	run("zero_", t)
	rows := shape[0] / groups
	for g := range groups {
		for d := range min(rows, shape[1]) {
			centre := t.Select(0, g*rows+d).Select(0, d)
			for _, n := range shape[2:] {
				centre = centre.Select(0, n/2)
			}
			centre.Fill(1)
		}
	}
}

func orthogonal(a *arguments) {
	t := a.tensor(0)
	if t.Dim() < 2 {
		a.fail("Only tensors with 2 or more dimensions are supported, not %s", describe(t))
	}
	rows := t.Size(0)
	columns := t.Numel() / rows
	flat := one("normal_", one("new_empty", t, []int64{rows, columns}), 0.0, 1.0, a.drawing(2))
	if rows < columns {
		flat = one("t", flat)
	}
	parts, _ := elements(run("linalg_qr", flat))
	q := one("mul", parts[0], one("sign", one("diag", parts[1], int64(0))))
	if rows < columns {
		q = one("t", q)
	}
	run("copy_", one("view_as", t, q), q)
	run("mul_", t, a.v[1])
}
