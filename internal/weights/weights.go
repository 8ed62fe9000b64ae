// Package weights copies the weights of a file into a model.
package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/checkpoint"
	"github.com/lighter-go/lighter/internal/safetensors"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// Load copies a file's weights into a module, if all of them fit: what does not is listed in full, in PyTorch's words. How
// names were read and what the file leaves as it is goes to the log.
func Load(n *lighter.Node, f *checkpoint.File, log zerolog.Logger) error {
	state := n.State()
	names := make([]string, len(state))
	for i, e := range state {
		names[i] = e.Name
	}
	m := f.Match(names)
	if problems := mismatches(state, m); problems != nil {
		if m.Note != "" {
			problems = append(problems, "the file's names were read "+m.Note)
		}
		return fmt.Errorf("error(s) in loading state_dict for %s:\n  %s", n.Class(), strings.Join(problems, "\n  "))
	}
	for _, e := range state {
		if w, ok := m.Pairs[e.Name]; ok {
			if err := copyWeight(e.Value, w); err != nil {
				return fmt.Errorf("tensor %q: %w", w.Name, err)
			}
		}
	}
	if m.Note != "" {
		log.Info().Msgf("read the names of the weights in %s %s", f.Path, m.Note)
	}
	if len(m.Kept) > 0 {
		log.Info().Msgf("%s does not hold %s: the configuration's values stay", f.Path, Quoted(m.Kept))
	}
	return nil
}

// mismatches lists what keeps weights from being loaded.
func mismatches(state []lighter.Named, m checkpoint.Match) []string {
	var out []string
	if len(m.Missing) > 0 {
		out = append(out, fmt.Sprintf("missing key(s) in state_dict: %s", Quoted(m.Missing)))
	}
	if len(m.Unexpected) > 0 {
		out = append(out, fmt.Sprintf("unexpected key(s) in state_dict: %s", Quoted(m.Unexpected)))
	}
	for _, e := range state {
		w, ok := m.Pairs[e.Name]
		if ok && !slices.Equal(shapeFor(e.Value, w), e.Value.Shape()) {
			out = append(out, fmt.Sprintf("size mismatch for %s: copying a param with shape %s from checkpoint, the shape in current model is %s",
				e.Name, lighter.ShapeText(w.Shape), lighter.ShapeText(e.Value.Shape())))
		}
	}
	return out
}

// shapeFor is the shape a weight is read with: before PyTorch 0.4 a scalar had one dimension.
func shapeFor(to tensor.Tensor, w safetensors.Tensor) []int64 {
	if to.Dim() == 0 && len(w.Shape) == 1 && w.Shape[0] == 1 {
		return []int64{}
	}
	if w.Shape == nil {
		return []int64{}
	}
	return w.Shape
}

// copyWeight copies one weight in a scope of its own, so that no more than it is held beside the model.
func copyWeight(to tensor.Tensor, w safetensors.Tensor) error {
	s := tensor.Open()
	defer s.Close()
	v := *w.Tensor
	from, err := ToTensor(&v)
	if err != nil {
		return err
	}
	tensor.NoGrad(func() {
		if from.Dim() != to.Dim() {
			from = from.Reshape(to.Shape()...)
		}
		to.CopyInPlace(from)
	})
	return nil
}

// Quoted lists names for a message.
func Quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(out, ", ")
}

// DTypes are the file's names of element types.
var DTypes = map[tensor.DType]torchfile.DType{
	tensor.Float32: torchfile.Float32, tensor.Float64: torchfile.Float64, tensor.Float16: torchfile.Float16,
	tensor.BFloat16: torchfile.BFloat16, tensor.Int8: torchfile.Int8, tensor.Int16: torchfile.Int16,
	tensor.Int32: torchfile.Int32, tensor.Int64: torchfile.Int64, tensor.Uint8: torchfile.Uint8,
	tensor.Bool: torchfile.Bool, tensor.Complex64: torchfile.Complex64, tensor.Complex128: torchfile.Complex128,
}

// ToTensor copies a tensor of a file into the innermost scope.
func ToTensor(f *torchfile.Tensor) (tensor.Tensor, error) {
	for dtype, name := range DTypes {
		if name != f.DType {
			continue
		}
		b, err := f.Bytes()
		if err != nil {
			return tensor.Tensor{}, err
		}
		return tensor.FromBytes(b, dtype, f.Shape), nil
	}
	return tensor.Tensor{}, fmt.Errorf("a tensor of type %s is not supported", f.DType)
}
