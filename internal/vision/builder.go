package vision

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

type args = map[string]any

// builder makes layers as a configuration would and keeps the first error.
type builder struct {
	env  *lighter.Env
	norm registry.Func // nil for BatchNorm2d
	err  error
}

func (b *builder) layer(target string, a args) lighter.Module {
	if b.err != nil {
		return nil
	}
	m, err := registry.New[lighter.Module](target, b.env, a)
	b.err = err
	return m
}

// conv is a convolution without a bias.
func (b *builder) conv(in, out, kernel, stride, padding, groups, dilation int64) lighter.Module {
	return b.layer("torch.nn.Conv2d", args{"in_channels": in, "out_channels": out, "kernel_size": kernel, "stride": stride, "padding": padding,
		"groups": groups, "dilation": dilation, "bias": false})
}

func (b *builder) makeNorm(channels int64) lighter.Module {
	if b.norm == nil {
		return b.layer("torch.nn.BatchNorm2d", args{"num_features": channels})
	}
	if b.err != nil {
		return nil
	}
	v, err := b.norm([]any{channels}, nil)
	m, ok := v.(lighter.Module)
	switch {
	case err != nil:
		b.err = lighter.FieldError("norm_layer", "%v", err)
	case !ok:
		b.err = lighter.FieldError("norm_layer", "must make modules, it made %s", lighter.TypeName(v))
	}
	return m
}

func (b *builder) sequence(modules ...lighter.Module) lighter.Module {
	all := make([]any, len(modules))
	for i, m := range modules {
		all[i] = m
	}
	return b.layer("torch.nn.Sequential", args{"modules": all})
}

// weightOf is a layer's weight, undefined when it has none.
func weightOf(m *lighter.Node) tensor.Tensor {
	for _, e := range m.Own() {
		if e.Name == "weight" {
			return e.Value
		}
	}
	return tensor.Tensor{}
}

// kaimingNormal is torch.nn.init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu").
func kaimingNormal(t tensor.Tensor) {
	shape := t.Shape()
	fanOut := shape[0]
	for _, d := range shape[2:] {
		fanOut *= d
	}
	s := tensor.Open()
	defer s.Close()
	tensor.Call("normal_", t, 0.0, math.Sqrt(2)/math.Sqrt(float64(fanOut)))
}
