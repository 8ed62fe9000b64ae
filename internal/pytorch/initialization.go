package pytorch

import (
	"math"

	"github.com/lighter-go/lighter/tensor"
)

// initializer declares a function of torch.nn.init, which fills a tensor in place, without gradients, and gives it.
func initializer(declared string, fill func(a *arguments, t tensor.Tensor)) {
	def("torch.nn.init."+declared, func(a *arguments) any {
		t := a.tensor(0)
		tensor.NoGrad(func() { fill(a, t) })
		return a.v[0]
	})
}

// gains are of the nonlinearities without a parameter.
var gains = map[string]float64{
	"linear": 1, "conv1d": 1, "conv2d": 1, "conv3d": 1, "conv_transpose1d": 1, "conv_transpose2d": 1, "conv_transpose3d": 1, "sigmoid": 1,
	"tanh": 5.0 / 3, "relu": math.Sqrt2, "selu": 3.0 / 4,
}

// gain is calculate_gain of a nonlinearity and the slope of a leaky one.
func (a *arguments) gain(nonlinearity string, slope float64) float64 {
	if nonlinearity == "leaky_relu" {
		return math.Sqrt(2 / (1 + slope*slope))
	}
	g, ok := gains[nonlinearity]
	if !ok {
		a.fail("Unsupported nonlinearity %s", nonlinearity)
	}
	return g
}

// fans are how many inputs a value of the output depends on, and how many outputs on a value of the input.
func (a *arguments) fans(t tensor.Tensor) (in, out float64) {
	size := t.Shape()
	if len(size) < 2 {
		a.fail("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
	}
	field := 1.0
	for _, n := range size[2:] {
		field *= float64(n)
	}
	return float64(size[1]) * field, float64(size[0]) * field
}

// xavier is the standard deviation of Glorot's initialization.
func (a *arguments) xavier(t tensor.Tensor) float64 {
	in, out := a.fans(t)
	return a.float(1) * math.Sqrt(2/(in+out))
}

// kaiming is the standard deviation of He's initialization.
func (a *arguments) kaiming(t tensor.Tensor) float64 {
	in, out := a.fans(t)
	fan := in
	switch mode := a.text(2); mode {
	case "fan_in":
	case "fan_out":
		fan = out
	default:
		a.fail("Mode %s not supported, please use one of ['fan_in', 'fan_out']", mode)
	}
	return a.gain(a.text(3), a.float(1)) / math.Sqrt(fan)
}

func init() {
	initializer("uniform_(tensor, a=0.0, b=1.0, generator=None)", func(a *arguments, t tensor.Tensor) {
		run("uniform_", t, a.float(1), a.float(2), kw{"generator", a.v[3]})
	})
	initializer("normal_(tensor, mean=0.0, std=1.0, generator=None)", func(a *arguments, t tensor.Tensor) {
		run("normal_", t, a.float(1), a.float(2), kw{"generator", a.v[3]})
	})
	initializer("trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None)", func(a *arguments, t tensor.Tensor) {
		mean, std, low, high := a.float(1), a.float(2), a.float(3), a.float(4)
		cdf := func(x float64) float64 { return (1 + math.Erf(x/math.Sqrt2)) / 2 }
		run("uniform_", t, 2*cdf((low-mean)/std)-1, 2*cdf((high-mean)/std)-1, kw{"generator", a.v[5]})
		run("erfinv_", t)
		run("mul_", t, std*math.Sqrt2)
		run("add_", t, mean)
		run("clamp_", t, low, high)
	})
	initializer("constant_(tensor, val)", func(a *arguments, t tensor.Tensor) { run("fill_", t, a.v[1]) })
	initializer("ones_(tensor)", func(_ *arguments, t tensor.Tensor) { run("fill_", t, 1.0) })
	initializer("zeros_(tensor)", func(_ *arguments, t tensor.Tensor) { run("zero_", t) })
	initializer("eye_(tensor)", func(a *arguments, t tensor.Tensor) {
		size := t.Shape()
		if len(size) != 2 {
			a.fail("Only tensors with 2 dimensions are supported")
		}
		run("copy_", t, run("eye", size[0], size[1]))
	})
	initializer("xavier_uniform_(tensor, gain=1.0, generator=None)", func(a *arguments, t tensor.Tensor) {
		bound := math.Sqrt(3) * a.xavier(t)
		run("uniform_", t, -bound, bound, kw{"generator", a.v[2]})
	})
	initializer("xavier_normal_(tensor, gain=1.0, generator=None)", func(a *arguments, t tensor.Tensor) {
		run("normal_", t, 0.0, a.xavier(t), kw{"generator", a.v[2]})
	})
	initializer("kaiming_uniform_(tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None)", func(a *arguments, t tensor.Tensor) {
		bound := math.Sqrt(3) * a.kaiming(t)
		run("uniform_", t, -bound, bound, kw{"generator", a.v[4]})
	})
	initializer("kaiming_normal_(tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None)", func(a *arguments, t tensor.Tensor) {
		run("normal_", t, 0.0, a.kaiming(t), kw{"generator", a.v[4]})
	})
	def("torch.nn.init.calculate_gain(nonlinearity, param=None)", func(a *arguments) any {
		slope := 0.01
		if !a.none(1) {
			slope = a.float(1)
		}
		return a.gain(a.text(0), slope)
	})
}
