package transform

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// mixDoc is the reference's text of MixUp and CutMix.
const mixDoc = "Mixes each image of a batch with the one before it, and their labels, which become float32 [N, num_classes]. Give it to a DataLoader as its `collate_fn`: it is applied to what default_collate gives."

// MixUp is torchvision.transforms.v2.MixUp: Zhang et al., https://arxiv.org/abs/1710.09412.
type MixUp struct {
	Alpha        float64      `cfg:"alpha" help:"of the beta distribution of the share"`
	NumClasses   *int         `cfg:"num_classes" help:"the number of classes; null when labels are probabilities"`
	LabelsGetter LabelsGetter `cfg:"labels_getter" help:"a function of the batch that gives the labels, or default"`
}

// Doc is the reference's text.
func (MixUp) Doc() string { return mixDoc }

// Validate checks the numbers.
func (c MixUp) Validate() error { return mixRules(c.Alpha, c.NumClasses) }

func mixRules(alpha float64, classes *int) error {
	if !(alpha > 0) {
		return lighter.FieldError("alpha", "must be greater than 0, got %v", alpha)
	}
	if classes != nil && *classes < 1 {
		return lighter.FieldError("num_classes", "must be at least 1, got %d", *classes)
	}
	return nil
}

// LabelsGetter finds a batch's labels: its second part, or the one whose key says label.
type LabelsGetter struct{ f registry.Func }

// ConfigType implements [registry.Decoder].
func (*LabelsGetter) ConfigType() string { return `"default" or a callable` }

// DecodeConfig implements [registry.Decoder].
func (l *LabelsGetter) DecodeConfig(v any) error {
	*l = LabelsGetter{}
	switch x := v.(type) {
	case string:
		if x == "default" {
			return nil
		}
	case registry.Func:
		l.f = x
		return nil
	}
	return says("labels_getter should either be 'default', a callable, or None, but got %s.", registry.Describe(v))
}

func (l LabelsGetter) find(batch lighter.Value) (lighter.Value, error) {
	if l.f != nil {
		return l.f([]any{batch}, nil)
	}
	if list, ok := batch.(lighter.List); ok && len(list) > 1 {
		batch = list[1]
	}
	if _, ok := batch.(tensor.Tensor); ok {
		return batch, nil
	}
	d, ok := batch.(lighter.Dict)
	if !ok {
		return nil, says("When using the default labels_getter, the input passed to forward must be a dictionary or a two-tuple whose second item is a dictionary or a tensor, but got %s instead.", typeName(batch))
	}
	keys := slices.Sorted(maps.Keys(d))
	for _, exact := range []bool{true, false} {
		for _, k := range keys {
			if low := strings.ToLower(k); low == "labels" || !exact && strings.Contains(low, "label") {
				return d[k], nil
			}
		}
	}
	return nil, says("Could not infer where the labels are in the sample. Try passing a callable as the labels_getter parameter?")
}

// mixer is what MixUp and CutMix share.
type mixer struct {
	name    string
	alpha   float64
	classes *int
	labels  LabelsGetter
	// plan draws how images [N, C, H, W] are mixed, and the share that each label keeps.
	plan func(share float64, in []lighter.Value, r lighter.Rand) (mix func(tensor.Tensor) tensor.Tensor, keep float64, err error)
}

// Apply implements [lighter.Transform] for a batch.
func (m mixer) Apply(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
	found, err := m.labels.find(v)
	if err != nil {
		return nil, err
	}
	labels, ok := found.(tensor.Tensor)
	if !ok {
		return nil, says("The labels must be a tensor, but got %s instead.", typeName(found))
	}
	shape := labels.Shape()
	switch {
	case len(shape) != 1 && len(shape) != 2:
		return nil, says("labels should be index based with shape (batch_size,) or probability based with shape (batch_size, num_classes), but got a tensor of shape %s instead.", lighter.SizeText(labels))
	case len(shape) == 2 && m.classes != nil && shape[1] != int64(*m.classes):
		return nil, says("When passing 2D labels, the number of elements in last dimension must match num_classes: %d != %d. You can Leave num_classes to None.", shape[1], *m.classes)
	case len(shape) == 1 && m.classes == nil:
		return nil, fmt.Errorf("num_classes must be passed if the labels are index-based (1D)")
	}
	var in []lighter.Value
	for _, part := range imagesOf(v) {
		switch x := part.(type) {
		case *image.Image, Mask:
			return nil, says("%s() does not support PIL images, bounding boxes, keypoints and masks.", m.name)
		case tensor.Tensor:
			if x.Same(labels) {
				return nil, fmt.Errorf("%s() found no images beside the labels", m.name)
			}
		}
		in = append(in, part)
	}
	for _, part := range in {
		t, _ := tensorOf(part)
		s := t.Shape()
		if len(s) != 4 {
			return nil, says("Expected a batched input with 4 dims, but got %d dimensions instead.", len(s))
		}
		if s[0] != shape[0] {
			return nil, says("The batch size of the image or video does not match the batch size of the labels: %d != %d.", s[0], shape[0])
		}
	}
	share := r.Dirichlet([]float64{m.alpha, m.alpha})[0]
	mix, keep, err := m.plan(share, in, r)
	if err != nil {
		return nil, err
	}
	at := 0
	return mapLeaves(v, func(leaf lighter.Value) (lighter.Value, error) {
		t, ok := leaf.(tensor.Tensor)
		switch {
		case ok && t.Same(labels):
			return m.mixLabels(labels, keep)
		case at < len(in) && leaf == in[at]:
			at++
			x, _ := tensorOf(leaf)
			return rewrap(leaf, mix(x)), nil
		}
		return leaf, nil
	})
}

// roll is each sample of a batch in the place of the next.
func roll(t tensor.Tensor) tensor.Tensor { return call("roll", t, []int64{1}, []int64{0}) }

func blendRolled(t tensor.Tensor, keep float64) tensor.Tensor {
	return roll(t).MulScalar(1 - keep).Add(t.MulScalar(keep))
}

func (m mixer) mixLabels(labels tensor.Tensor, keep float64) (lighter.Value, error) {
	if len(labels.Shape()) == 1 {
		if lo, hi := call("amin", labels).Int(), call("amax", labels).Int(); lo < 0 || hi >= int64(*m.classes) {
			return nil, says("Class values must be smaller than num_classes and not negative: labels go from %d to %d, num_classes is %d", lo, hi, *m.classes)
		}
		labels = call("one_hot", labels.To(labels.Device(), tensor.Int64), *m.classes)
	}
	if !labels.IsFloat() {
		labels = labels.To(labels.Device(), tensor.Float32)
	}
	return blendRolled(labels, keep), nil
}

// Build makes the transform.
func (c MixUp) Build(*lighter.Env) (lighter.Transform, error) {
	return mixer{"MixUp", c.Alpha, c.NumClasses, c.LabelsGetter, func(share float64, in []lighter.Value, _ lighter.Rand) (func(tensor.Tensor) tensor.Tensor, float64, error) {
		for _, v := range in {
			if t, _ := tensorOf(v); !t.IsFloat() {
				return nil, 0, fmt.Errorf("MixUp() needs images of floats, got torch.%s: put ToTensor or ToDtype before it", t.DType())
			}
		}
		return func(t tensor.Tensor) tensor.Tensor { return blendRolled(t, share) }, share, nil
	}}, nil
}

// CutMix is torchvision.transforms.v2.CutMix: Yun et al., https://arxiv.org/abs/1905.04899.
type CutMix struct {
	Alpha        float64      `cfg:"alpha" help:"of the beta distribution of the share"`
	NumClasses   *int         `cfg:"num_classes" help:"the number of classes; null when labels are probabilities"`
	LabelsGetter LabelsGetter `cfg:"labels_getter" help:"a function of the batch that gives the labels, or default"`
}

// Doc is the reference's text.
func (CutMix) Doc() string { return mixDoc }

// Validate checks the numbers.
func (c CutMix) Validate() error { return mixRules(c.Alpha, c.NumClasses) }

// Build makes the transform.
func (c CutMix) Build(*lighter.Env) (lighter.Transform, error) {
	return mixer{"CutMix", c.Alpha, c.NumClasses, c.LabelsGetter, func(share float64, in []lighter.Value, r lighter.Rand) (func(tensor.Tensor) tensor.Tensor, float64, error) {
		h, w, err := sizeOf(in)
		if err != nil {
			return nil, 0, err
		}
		x, y := int(r.Int(0, int64(w))), int(r.Int(0, int64(h)))
		half := 0.5 * math.Sqrt(1-share)
		dx, dy := int(half*float64(w)), int(half*float64(h))
		x1, y1, x2, y2 := max(x-dx, 0), max(y-dy, 0), min(x+dx, w), min(y+dy, h)
		keep := 1 - float64((x2-x1)*(y2-y1))/float64(w*h)
		return func(t tensor.Tensor) tensor.Tensor {
			out := t.Clone()
			box := func(t tensor.Tensor) tensor.Tensor {
				return t.Narrow(-2, int64(y1), int64(y2-y1)).Narrow(-1, int64(x1), int64(x2-x1))
			}
			box(out).CopyInPlace(box(roll(t)))
			return out
		}, keep, nil
	}}, nil
}

var _ registry.Decoder = (*LabelsGetter)(nil)

func init() {
	only2("MixUp", MixUp{Alpha: 1})
	only2("CutMix", CutMix{Alpha: 1})
}
