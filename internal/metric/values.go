package metric

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter/tensor"
)

// What validate_args adds: torchmetrics' looks at the values of targets and predicted labels. They are done where they don't
// wait for a device: on the CPU. Elsewhere libtorch stops at an index out of range, and what is no index is not looked at.

// zeroOne refuses targets, and predicted labels, that are neither 0 nor 1 nor ignored.
func (r *reading) zeroOne(p, t tensor.Tensor) {
	if !r.validate {
		return
	}
	if t.Outside(2, r.ignore) > 0 {
		expected := "[0, 1]"
		if r.ignore != nil {
			expected = fmt.Sprintf("[%d]", *r.ignore)
		}
		tensor.Fail(r.name, "Detected the following values in `target`: %s but expected only the following values %s.", uniqueText(t), expected)
	}
	if !p.IsFloat() && p.Outside(2, nil) > 0 {
		tensor.Fail(r.name, "Detected the following values in `preds`: %s but expected only the following values [0,1] since `preds` is a label tensor.", uniqueText(p))
	}
}

// known refuses labels of classes that don't exist. torchmetrics counts the different ones; lenient keeps to that where a label
// out of range is simply wrong, and other metrics have no place for it.
func (r *reading) known(p, t tensor.Tensor, lenient bool) {
	if !r.validate || r.classes == 0 {
		return
	}
	most := r.classes
	if r.ignore != nil {
		most++
	}
	check := func(x tensor.Tensor, name string, ignore *int64) {
		if x.Outside(r.classes, ignore) <= 0 {
			return
		}
		if unique := tensor.Call("_unique", x)[0].(tensor.Tensor); unique.Numel() > most {
			tensor.Fail(r.name, "Detected more unique values in `%s` than expected. Expected only %d but found %d in `%s`. Found values: %s.", name, most, unique.Numel(), name, uniqueText(x))
		}
		if !lenient {
			tensor.Fail(r.name, "Detected the following values in `%s`: %s but expected only those from 0 to below num_classes=%d. ignore_index leaves a target out.", name, uniqueText(x), r.classes)
		}
	}
	check(t, "target", r.ignore)
	if !p.IsFloat() {
		check(p, "preds", r.ignore)
	}
}

// uniqueText lists the different values of a tensor as PyTorch prints them.
func uniqueText(x tensor.Tensor) string {
	unique := tensor.Call("_unique", x)[0].(tensor.Tensor)
	values, format := tensor.Values[float64](unique), "%g"
	if unique.IsFloat() {
		format = "%.4f"
	}
	texts := make([]string, 0, len(values))
	for i, v := range values {
		if i == 20 {
			texts = append(texts, "...")
			break
		}
		texts = append(texts, fmt.Sprintf(format, v))
	}
	return "tensor([" + strings.Join(texts, ", ") + "])"
}
