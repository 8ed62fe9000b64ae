package inferer

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Sliding are the arguments of monai.inferers.SlidingWindowInferer.
// https://docs.monai.io/en/stable/inferers.html#slidingwindowinferer
type Sliding struct {
	ROISize      Sizes     `cfg:"roi_size,required" help:"the window: an int, or one a spatial dimension; -1 for all of it"`
	BatchSize    int       `cfg:"sw_batch_size" help:"windows that go through the network at once"`
	Overlap      Fractions `cfg:"overlap" help:"share of a window that the next one covers again, from 0 to below 1"`
	Mode         string    `cfg:"mode" oneof:"constant|gaussian" help:"weights where windows overlap: all alike, or less at their edges"`
	SigmaScale   Fractions `cfg:"sigma_scale" help:"width of the gaussian, as a share of the window"`
	PaddingMode  string    `cfg:"padding_mode" oneof:"constant|reflect|replicate|circular" help:"what is around an input that is smaller than the window"`
	CVal         float64   `cfg:"cval" help:"the value of constant padding"`
	SWDevice     any       `cfg:"sw_device,ignored" help:"no effect: windows are where the network is"`
	Device       any       `cfg:"device,ignored" help:"no effect: predictions are where the network is"`
	Progress     any       `cfg:"progress,ignored" help:"no effect: the run has a progress bar"`
	CacheROIMap  any       `cfg:"cache_roi_weight_map,ignored" help:"no effect: weights are made once an input"`
	CPUThreshold any       `cfg:"cpu_thresh,ignored" help:"no effect: predictions are where the network is"`
	BufferSteps  any       `cfg:"buffer_steps,ignored" help:"no effect: predictions are where the network is"`
	BufferDim    any       `cfg:"buffer_dim,ignored" help:"no effect without buffer_steps"`
	WithCoord    bool      `cfg:"with_coord" help:"false: networks are given windows, not their places"`
}

func init() {
	lighter.Register[lighter.Inferer]("monai.inferers.SlidingWindowInferer", Sliding{
		BatchSize: 1, Overlap: Fractions{0.25}, Mode: "constant", SigmaScale: Fractions{0.125}, PaddingMode: "constant",
	}, "monai.inferers.inferer.SlidingWindowInferer")
}

// Doc is the component's prose.
func (Sliding) Doc() string {
	return `Predicts an image of shape [batch, channels, spatial...] by windows, and averages where they overlap. The network gives
a tensor of a window's size, or a list or a mapping of such tensors.`
}

// Validate applies MONAI's rules.
func (s Sliding) Validate() error {
	if s.BatchSize < 1 {
		return lighter.FieldError("sw_batch_size", "must be at least 1, got %d", s.BatchSize)
	}
	for _, o := range s.Overlap {
		if o < 0 || o >= 1 {
			return lighter.FieldError("overlap", "overlap must be >= 0 and < 1, got %v.", o)
		}
	}
	if s.WithCoord {
		return lighter.FieldError("with_coord", "networks are given windows without their places: must be false")
	}
	return nil
}

// Build makes the inferer.
func (s Sliding) Build(*lighter.Env) (lighter.Inferer, error) { return s, nil }

const who = "SlidingWindowInferer"

// Infer predicts an image by windows.
func (s Sliding) Infer(input lighter.Value, network func(lighter.Value) lighter.Value) lighter.Value {
	x := lighter.TensorArg(who, []lighter.Value{input}, 0)
	if x.Dim() < 3 {
		tensor.Fail(who, "Inputs must have a batch, a channel and spatial dimensions, but got inputs shape %s", lighter.SizeText(x))
	}
	original := x.Shape()[2:]
	roi := s.window(x, original)
	var pad, before []int64
	size := make([]int64, len(roi))
	for i := range roi {
		size[i] = max(original[i], roi[i])
		diff := size[i] - original[i]
		before = append(before, diff/2)
		pad = append([]int64{diff / 2, diff - diff/2}, pad...)
	}
	if !slices.Equal(size, original) {
		x = tensor.CallOne("pad", x, pad, s.PaddingMode, s.value())
	}
	starts := windows(size, roi, s.Overlap)
	weights := s.importance(roi).To(x.Device(), x.DType())
	total := int64(len(starts)) * x.Size(0)
	var out stitched
	for first := int64(0); first < total; first += int64(s.BatchSize) {
		inner := tensor.Open()
		var places []place
		var parts []any
		for i := first; i < min(first+int64(s.BatchSize), total); i++ {
			p := place{image: i / int64(len(starts)), start: starts[i%int64(len(starts))]}
			places = append(places, p)
			parts = append(parts, p.of(x, roi))
		}
		out.add(inner, network(tensor.CallOne("cat", parts)), places, weights, roi, x, size)
		inner.Close()
	}
	count := tensor.Zeros(append([]int64{1, 1}, size...), x.DType(), x.Device())
	for _, start := range starts {
		place{start: start}.of(count, roi).AddInPlace(weights, 1)
	}
	return out.finish(count, before, original)
}

// value is the padding's, which other modes than constant take none of.
func (s Sliding) value() any {
	if s.PaddingMode == "constant" {
		return s.CVal
	}
	return nil
}

// window is the size of a window for an image.
func (s Sliding) window(x tensor.Tensor, original []int64) []int64 {
	if len(s.ROISize) > 1 && len(s.ROISize) != len(original) {
		tensor.Fail(who, "Inputs must have %d dimensions for %dD roi_size, but got inputs shape %s", len(s.ROISize)+2, len(s.ROISize), lighter.SizeText(x))
	}
	roi := make([]int64, len(original))
	for i := range roi {
		if roi[i] = s.ROISize[min(i, len(s.ROISize)-1)]; roi[i] <= 0 {
			roi[i] = original[i]
		}
	}
	return roi
}

// windows are the starts of the windows, the last dimension's fastest.
func windows(size, roi []int64, overlap Fractions) [][]int64 {
	starts := [][]int64{nil}
	for i := range size {
		interval := roi[i]
		if roi[i] != size[i] {
			interval = max(int64(float64(roi[i])*(1-overlap.at(i))), 1)
		}
		var next [][]int64
		for _, outer := range starts {
			for at := int64(0); ; at += interval {
				last := at+roi[i] >= size[i]
				next = append(next, append(slices.Clone(outer), min(at, size[i]-roi[i])))
				if last {
					break
				}
			}
		}
		starts = next
	}
	return starts
}

// importance is the weight of each place of a window, of shape [1, 1, spatial...].
func (s Sliding) importance(roi []int64) tensor.Tensor {
	shape := append([]int64{1, 1}, roi...)
	weights := tensor.Ones(shape, tensor.Float32, tensor.Device{})
	if s.Mode == "constant" {
		return weights
	}
	for i, n := range roi {
		sigma := float64(n) * s.SigmaScale.at(i)
		x := tensor.CallOne("arange", -float64(n-1)/2, float64(n-1)/2+1, tensor.Kwarg{Name: "dtype", Value: tensor.Float32})
		x = tensor.CallOne("exp", x.Mul(x).DivScalar(-2*sigma*sigma))
		along := slices.Repeat([]int64{1}, len(shape))
		along[i+2] = n
		weights = weights.Mul(x.Reshape(along...))
	}
	return tensor.CallOne("clamp", weights, max(tensor.CallOne("min", weights).Item(), 1e-3))
}

// place is where a window is.
type place struct {
	image int64
	start []int64
}

// of is the window of a tensor [batch, channels, spatial...], a view.
func (p place) of(t tensor.Tensor, roi []int64) tensor.Tensor {
	t = tensor.CallOne("narrow", t, 0, p.image, 1)
	for i, start := range p.start {
		t = tensor.CallOne("narrow", t, i+2, start, roi[i])
	}
	return t
}

// stitched are the outputs of the network for the whole image, in its form.
type stitched struct {
	keys  []string // of a mapping
	list  bool
	whole []tensor.Tensor
}

// add adds the outputs for some windows. The whole images belong to the scope around inner.
func (o *stitched) add(inner tensor.Scope, v lighter.Value, places []place, weights tensor.Tensor, roi []int64, x tensor.Tensor, size []int64) {
	var outputs []lighter.Value
	switch v := v.(type) {
	case lighter.List:
		o.list, outputs = true, v
	case lighter.Dict:
		o.keys = slices.Sorted(maps.Keys(v))
		for _, k := range o.keys {
			outputs = append(outputs, v[k])
		}
	default:
		outputs = lighter.List{v}
	}
	for i := range outputs {
		t := lighter.TensorArg(who, outputs, i)
		if t.Dim() != len(roi)+2 || !slices.Equal(t.Shape()[2:], roi) {
			tensor.Fail(who, "the network must give a tensor of the window's size %v, got %s", roi, lighter.SizeText(t))
		}
		if i == len(o.whole) {
			shape := append([]int64{x.Size(0), t.Size(1)}, size...)
			o.whole = append(o.whole, inner.Return(tensor.Zeros(shape, x.DType(), x.Device())))
		}
		weighted := t.Mul(weights)
		for k, p := range places {
			p.of(o.whole[i], roi).AddInPlace(tensor.CallOne("narrow", weighted, 0, k, 1), 1)
		}
	}
}

// finish divides by the weights and cuts what was padded off.
func (o *stitched) finish(count tensor.Tensor, before, original []int64) lighter.Value {
	values := make(lighter.List, len(o.whole))
	for i, t := range o.whole {
		t = t.Div(count)
		for d := range original {
			t = tensor.CallOne("narrow", t, d+2, before[d], original[d])
		}
		values[i] = t
	}
	switch {
	case o.keys != nil:
		d := lighter.Dict{}
		for i, k := range o.keys {
			d[k] = values[i]
		}
		return d
	case o.list:
		return values
	}
	return values[0]
}

// Sizes are a window's, one for all dimensions or one each.
type Sizes []int64

// ConfigType names the forms.
func (*Sizes) ConfigType() string {
	return "an int or a list of ints, null and -1 for all of a dimension"
}

// DecodeConfig takes a number or a list.
func (s *Sizes) DecodeConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	*s = nil
	for _, item := range items {
		n, ok := item.(int64)
		if item == nil {
			n, ok = -1, true
		}
		if !ok {
			return fmt.Errorf("must be %s, got %s", s.ConfigType(), registry.Describe(v))
		}
		*s = append(*s, n)
	}
	if len(*s) == 0 {
		return errors.New("must not be empty")
	}
	return nil
}

// Fractions are one number for all dimensions or one each.
type Fractions []float64

// ConfigType names the forms.
func (*Fractions) ConfigType() string { return "a float or a list of floats" }

// DecodeConfig takes a number or a list.
func (f *Fractions) DecodeConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	*f = nil
	for _, item := range items {
		switch x := item.(type) {
		case float64:
			*f = append(*f, x)
		case int64:
			*f = append(*f, float64(x))
		default:
			return fmt.Errorf("must be %s, got %s", f.ConfigType(), registry.Describe(v))
		}
	}
	if len(*f) == 0 {
		return errors.New("must not be empty")
	}
	return nil
}

func (f Fractions) at(i int) float64 { return f[min(i, len(f)-1)] }
