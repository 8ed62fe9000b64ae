package model

import (
	"math"
	"slices"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("adaptive", "AdaptiveLogSoftmaxWithLoss", AdaptiveLogSoftmaxWithLoss{DivValue: 4})
}

// AdaptiveLogSoftmaxWithLoss is torch.nn.AdaptiveLogSoftmaxWithLoss: a softmax over many classes, the frequent ones first, of which the
// rare ones are looked at in clusters. Its forward is (input, target) and gives the log-probability of each target and their loss.
type AdaptiveLogSoftmaxWithLoss struct {
	InFeatures int64        `cfg:"in_features,required" help:"size of each input sample"`
	NClasses   int64        `cfg:"n_classes,required,aka=num_classes" help:"number of classes"`
	Cutoffs    NotEmptyList `cfg:"cutoffs,required" help:"the first class of each cluster, rising"`
	DivValue   float64      `cfg:"div_value" help:"by how much each cluster's projection is smaller than the one before"`
	HeadBias   bool         `cfg:"head_bias" help:"learn a bias for the frequent classes"`
	Factory
}

// Validate implements the registry's Validator.
func (c AdaptiveLogSoftmaxWithLoss) Validate() error {
	sorted := slices.IsSortedFunc(c.Cutoffs, func(a, b int64) int {
		if a < b {
			return -1
		}
		return 1
	})
	if n := len(c.Cutoffs); n > 0 && (!sorted || c.Cutoffs[0] <= 0 || c.Cutoffs[n-1] > c.NClasses-1) {
		return lighter.FieldError("cutoffs", "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1")
	}
	return notNegative("in_features", c.InFeatures)
}

// Build implements the registry's Builder.
func (c AdaptiveLogSoftmaxWithLoss) Build(env *lighter.Env) (lighter.Module, error) {
	m := &adaptiveSoftmax{c: c, bounds: append(append([]int64{0}, c.Cutoffs...), c.NClasses), tail: newModuleList()}
	m.SetClass("torch.nn.AdaptiveLogSoftmaxWithLoss")
	clusters := len(c.Cutoffs)
	head, err := Linear{InFeatures: c.InFeatures, OutFeatures: c.Cutoffs[0] + int64(clusters), Bias: c.HeadBias, Factory: c.Factory}.Build(env)
	if err != nil {
		return nil, err
	}
	m.Add("head", head)
	m.Add("tail", m.tail)
	for i := range clusters {
		hidden := int64(math.Floor(float64(c.InFeatures) / math.Pow(c.DivValue, float64(i+1))))
		s := &sequential{}
		s.SetClass("torch.nn.Sequential")
		for k, size := range [][2]int64{{c.InFeatures, hidden}, {hidden, m.bounds[i+2] - m.bounds[i+1]}} {
			l, err := Linear{InFeatures: size[0], OutFeatures: size[1], Factory: c.Factory}.Build(env)
			if err != nil {
				return nil, err
			}
			s.append(strconv.Itoa(k), l)
		}
		m.tail.Add(strconv.Itoa(i), s)
	}
	return m, nil
}

type adaptiveSoftmax struct {
	lighter.Node
	c      AdaptiveLogSoftmaxWithLoss
	bounds []int64 // of the frequent classes and of each cluster
	tail   *moduleList
}

// Signature names the arguments of Forward.
func (*adaptiveSoftmax) Signature() string { return "input_, target_" }

func (m *adaptiveSoftmax) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	x, y := a.tensor(0), a.tensor(1)
	batched := y.Dim() == 1
	switch {
	case y.Dim() > 1:
		tensor.Fail(m.Class(), "0D or 1D target tensor expected, multi-target not supported")
	case x.Dim() != y.Dim()+1:
		tensor.Fail(m.Class(), "%dD target tensor expects %dD input tensors, but found inputs with size %s", y.Dim(), y.Dim()+1, list(x.Shape()))
	case batched && x.Size(0) != y.Size(0):
		tensor.Fail(m.Class(), "Input and target should have the same size in the batch dimension.")
	case !batched:
		x, y = unsqueeze(x, 0), unsqueeze(y, 0)
	}
	rows, used := y.Size(0), int64(0)
	output := tensor.Zeros([]int64{rows}, x.DType(), x.Device())
	column := tensor.Zeros([]int64{rows}, tensor.Int64, y.Device()) // each target's place in the head
	for i, low := range m.bounds[:len(m.bounds)-1] {
		here := tensor.CallOne("logical_and", tensor.CallOne("ge", y, low), tensor.CallOne("lt", y, m.bounds[i+1]))
		index := tensor.CallOne("nonzero", here).Select(1, 0) // the host waits, as PyTorch's does
		n := index.Numel()
		if used += n; n == 0 {
			continue
		}
		local := y.IndexSelect(0, index)
		if i == 0 {
			column = tensor.CallOne("index_copy", column, 0, index, local)
			continue
		}
		m.Enter(1)
		scores := m.tail.Run(i-1, x.IndexSelect(0, index)).(tensor.Tensor)
		m.Leave()
		column = tensor.CallOne("index_fill", column, 0, index, m.bounds[1]+int64(i)-1)
		output = tensor.CallOne("index_copy", output, 0, index, pick(scores, tensor.CallOne("sub", local, low)))
	}
	if used != rows {
		tensor.Fail(m.Class(), "Target values should be in [0, %d], but values in range [%d, %d] were found.", m.c.NClasses-1,
			tensor.CallOne("min", y).Int(), tensor.CallOne("max", y).Int())
	}
	output = output.Add(pick(m.Run(0, x).(tensor.Tensor), column))
	loss := tensor.CallOne("neg", output).Mean()
	if !batched {
		output = tensor.CallOne("squeeze", output, 0)
	}
	return lighter.List{output, loss}
}

// pick is the log-probability of a class in each row of scores.
func pick(scores, class tensor.Tensor) tensor.Tensor {
	logs := tensor.CallOne("log_softmax", scores, 1)
	return tensor.CallOne("squeeze", tensor.CallOne("gather", logs, 1, unsqueeze(class, 1)), 1)
}
