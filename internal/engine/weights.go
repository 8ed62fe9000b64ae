package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/checkpoint"
	"github.com/lighter-go/lighter/internal/safetensors"
	"github.com/lighter-go/lighter/tensor"
)

// loadWeights copies a file's weights into the model, if all of them fit: what does not is listed in full, in PyTorch's words.
// How names were read and what the file leaves as it is goes to the log.
func (t *Trainer) loadWeights(f *checkpoint.File) error {
	state := t.model.Tree().State()
	names := make([]string, len(state))
	for i, e := range state {
		names[i] = e.Name
	}
	m := f.Match(names)
	if problems := mismatches(state, m); problems != nil {
		if m.Note != "" {
			problems = append(problems, "the file's names were read "+m.Note)
		}
		return fmt.Errorf("error(s) in loading state_dict for %s:\n  %s", t.model.Tree().Class(), strings.Join(problems, "\n  "))
	}
	for _, e := range state {
		if w, ok := m.Pairs[e.Name]; ok {
			if err := copyWeight(e.Value, w); err != nil {
				return fmt.Errorf("tensor %q: %w", w.Name, err)
			}
		}
	}
	if m.Note != "" {
		t.log.Info().Msgf("read the names of the weights in %s %s", f.Path, m.Note)
	}
	if len(m.Kept) > 0 {
		t.log.Info().Msgf("%s does not hold %s: the configuration's values stay", f.Path, quoted(m.Kept))
	}
	return nil
}

// mismatches lists what keeps weights from being loaded.
func mismatches(state []lighter.Named, m checkpoint.Match) []string {
	var out []string
	if len(m.Missing) > 0 {
		out = append(out, fmt.Sprintf("missing key(s) in state_dict: %s", quoted(m.Missing)))
	}
	if len(m.Unexpected) > 0 {
		out = append(out, fmt.Sprintf("unexpected key(s) in state_dict: %s", quoted(m.Unexpected)))
	}
	for _, e := range state {
		w, ok := m.Pairs[e.Name]
		if ok && !slices.Equal(shapeFor(e.Value, w), e.Value.Shape()) {
			out = append(out, fmt.Sprintf("size mismatch for %s: copying a param with shape %s from checkpoint, the shape in current model is %s",
				e.Name, sizeText(w.Shape), sizeText(e.Value.Shape())))
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
	from, err := toTensor(&v)
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

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(out, ", ")
}

// sizeText is a shape as PyTorch writes it.
func sizeText(shape []int64) string {
	return "torch.Size(" + strings.ReplaceAll(fmt.Sprint(shape), " ", ", ") + ")"
}
