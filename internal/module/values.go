package module

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// mostElements is how many elements of a metric's value are logged, one by one.
const mostElements = 1024

// scalars visits what there is to log of a metric's value under the names it is logged by. Each element of a tensor, such as the
// values of classes with `average: none` or a confusion matrix, is logged under its indices, as torchmetrics' ClasswiseWrapper
// names them: "MulticlassRecall_0", "MulticlassConfusionMatrix_2_1". Lightning's logger refuses such values.
func (m *Module) scalars(name string, v lighter.Value, visit func(string, tensor.Tensor)) {
	switch x := v.(type) {
	case lighter.Dict:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			m.scalars(key, x[key], visit)
		}
	case tensor.Tensor:
		switch n := x.Numel(); {
		case n == 1:
			visit(name, x)
		case n == 0 || n > mostElements:
			m.unlogged(name, fmt.Sprintf("has %d elements, and at most %d are logged", n, mostElements))
		default:
			elements(name, x, visit)
		}
	default:
		m.unlogged(name, "is a curve")
	}
}

// elements visits those of a tensor, on the host: they are read anyway.
func elements(name string, x tensor.Tensor, visit func(string, tensor.Tensor)) {
	shape := x.Shape()
	flat := x.To(tensor.Device{}, x.DType()).Reshape(-1)
	index := make([]string, len(shape))
	for i := range flat.Numel() {
		rest := i
		for d := len(shape) - 1; d >= 0; d-- {
			index[d] = fmt.Sprint(rest % shape[d])
			rest /= shape[d]
		}
		visit(name+"_"+strings.Join(index, "_"), flat.Select(0, i))
	}
}

// unlogged says once of a metric why it leaves no trace.
func (m *Module) unlogged(name, why string) {
	if m.told == nil {
		m.told = map[string]bool{}
	}
	if !m.told[name] {
		m.told[name] = true
		m.log.Warn().Msgf("The metric `%s` does not contain a single element, thus it cannot be converted to a scalar: it %s. It is not logged.", name, why)
	}
}
