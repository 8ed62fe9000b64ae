package model

import (
	"strings"
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// torch.nn.functional's functions: a layer or a loss without parameters, called at once. A configuration gives them as callables, to a
// criterion or as an activation, by `_mode_: callable` or `$torch.nn.functional.relu`.

func init() {
	for name, class := range map[string]string{
		"relu": "ReLU", "relu6": "ReLU6", "selu": "SELU", "silu": "SiLU", "mish": "Mish", "hardswish": "Hardswish", "hardsigmoid": "Hardsigmoid",
	} {
		unary(name, InplaceActivation{class: class, op: name})
	}
	for _, c := range []Activation{
		activation("Tanh", "tanh"), activation("Sigmoid", "sigmoid"), activation("LogSigmoid", "log_sigmoid"), softsign, tanhshrink,
	} {
		unary(strings.ToLower(c.class), c)
	}
	unary("leaky_relu", LeakyReLU{NegativeSlope: 0.01})
	unary("elu", ELU{Alpha: 1, class: "ELU", op: "elu"})
	unary("celu", ELU{Alpha: 1, class: "CELU", op: "celu"})
	unary("hardshrink", Shrink{Lambd: 0.5, class: "Hardshrink", op: "hardshrink"})
	unary("softshrink", Shrink{Lambd: 0.5, class: "Softshrink", op: "softshrink"})
	unary("gelu", GELU{Approximate: "none"})
	unary("glu", GLU{Dim: -1})
	unary("softplus", Softplus{Beta: 1, Threshold: 20})
	unary("hardtanh", Hardtanh{MinVal: -1, MaxVal: 1})
	unary("threshold", Threshold{})
	for _, c := range softmaxes {
		unary(map[string]string{"Softmax": "softmax", "Softmin": "softmin", "LogSoftmax": "log_softmax"}[c.class], c)
	}
	binary("cross_entropy", CrossEntropyLoss{IgnoreIndex: -100, Reduction: "mean"})
	binary("nll_loss", NLLLoss{IgnoreIndex: -100, Reduction: "mean", class: "NLLLoss"})
	binary("binary_cross_entropy", BCELoss{Reduced: mean})
	binary("binary_cross_entropy_with_logits", BCEWithLogitsLoss{Reduced: mean})
	binary("mse_loss", ElementLoss{Reduced: mean, class: "MSELoss", op: tensor.MSELoss})
	binary("l1_loss", ElementLoss{Reduced: mean, class: "L1Loss", op: l1})
	binary("smooth_l1_loss", SmoothL1Loss{Reduced: mean, Beta: 1})
	binary("huber_loss", HuberLoss{Reduction: "mean", Delta: 1})
	binary("poisson_nll_loss", PoissonNLLLoss{LogInput: true, Eps: 1e-8, Reduction: "mean"})
	binary("kl_div", KLDivLoss{Reduction: "mean"})
	binary("hinge_embedding_loss", hinge)
	binary("soft_margin_loss", softMargin)
	binary("multilabel_margin_loss", multiLabelMargin)
	binary("multilabel_soft_margin_loss", MultiLabelSoftMarginLoss{Reduced: mean})
	binary("multi_margin_loss", MultiMarginLoss{P: 1, Margin: 1, Reduced: mean})
}

const functional = "torch.nn.functional."

// Called is a layer in the call of a function.
type Called[C registry.Builder[lighter.Module]] struct {
	Layer C `cfg:",inline"`

	warned *atomic.Bool // a function is called at every step: only its first call may warn
}

func (c Called[C]) validate() error {
	if v, ok := any(c.Layer).(registry.Validator); ok {
		return v.Validate()
	}
	return nil
}

func (c Called[C]) call(env *lighter.Env, in ...lighter.Value) (_ tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	own := *env
	if c.warned.Swap(true) {
		own.Log = zerolog.Nop()
	}
	m, err := c.Layer.Build(&own)
	if err != nil {
		return tensor.Tensor{}, err
	}
	return lighter.TensorArg(m.Tree().Class(), lighter.List{m.Forward(in...)}, 0), nil
}

// Unary is a function of one tensor.
type Unary[C registry.Builder[lighter.Module]] struct {
	Input tensor.Tensor `cfg:"input,required" help:"a tensor"`
	Called[C]
}

// Validate implements the registry's Validator.
func (c Unary[C]) Validate() error { return c.validate() }

// Build calls the function.
func (c Unary[C]) Build(env *lighter.Env) (tensor.Tensor, error) { return c.call(env, c.Input) }

func unary[C registry.Builder[lighter.Module]](name string, layer C) {
	var aliases []string
	switch name {
	case "relu", "sigmoid", "tanh", "selu", "celu", "softmax", "log_softmax": // functions of torch too
		aliases = []string{"torch." + name}
	}
	registry.Register[tensor.Tensor](functional+name, Unary[C]{Called: Called[C]{layer, &atomic.Bool{}}}, aliases...)
}

// Binary is a loss of a prediction and a target.
type Binary[C registry.Builder[lighter.Module]] struct {
	Input  tensor.Tensor `cfg:"input,required" help:"the prediction"`
	Target tensor.Tensor `cfg:"target,required" help:"the target"`
	Called[C]
}

// Validate implements the registry's Validator.
func (c Binary[C]) Validate() error { return c.validate() }

// Build calls the function.
func (c Binary[C]) Build(env *lighter.Env) (tensor.Tensor, error) {
	return c.call(env, c.Input, c.Target)
}

func binary[C registry.Builder[lighter.Module]](name string, layer C) {
	registry.Register[tensor.Tensor](functional+name, Binary[C]{Called: Called[C]{layer, &atomic.Bool{}}})
}
