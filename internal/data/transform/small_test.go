package transform

import (
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/tensor"
)

// TestLinearTransformation: a flat image, less the mean, times the matrix, as torchvision gives it.
func TestLinearTransformation(t *testing.T) {
	defer tensor.Open().Close()
	of := func(v any) m { return m{"_target_": "torch.tensor", "data": v} }
	tr, err := build(t, m{"_target_": "torchvision.transforms.LinearTransformation",
		"transformation_matrix": of([]any{[]any{1.0, 0.0, 0.0, 2.0}, []any{0.0, 1.0, 0.0, 0.0}, []any{0.0, 3.0, 1.0, 0.0}, []any{0.0, 0.0, 0.0, 0.5}}),
		"mean_vector":           of([]any{1.0, 1.0, 0.0, 2.0})})
	if err != nil {
		t.Fatal(err)
	}
	v, err := tr.Apply(tensor.FromSlice([]float32{0, 1, 2, 3}, 1, 2, 2), draw.Default{})
	if err != nil {
		t.Fatal(err)
	}
	if got := tensor.Values[float64](v.(tensor.Tensor)); !slices.Equal(got, []float64{-1, 6, 2, -1.5}) {
		t.Errorf("it gives %v", got)
	}
	_, err = tr.Apply(tensor.FromSlice([]float32{0, 1}, 1, 1, 2), draw.Default{})
	if err == nil || !strings.Contains(err.Error(), "incompatible shape") {
		t.Errorf("the error of another shape is %v", err)
	}
}

// TestLambda: an expression of the configuration changes a value, and in version 2 each part of a sample.
func TestLambda(t *testing.T) {
	for target, in := range map[string]lighter.Value{"torchvision.transforms.Lambda": int64(3), "torchvision.transforms.v2.Lambda": lighter.List{"a", int64(3)}} {
		tr, err := build(t, m{"_target_": target, "lambd": "$lambda x: x * 2 + x"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tr.Apply(in, draw.Default{})
		if err != nil {
			t.Fatal(err)
		}
		if l, ok := got.(lighter.List); ok && l[0] == "aaa" {
			got = l[1]
		}
		if got != int64(9) {
			t.Errorf("%s gives %v", target, got)
		}
	}
	if _, err := build(t, m{"_target_": "torchvision.transforms.Lambda", "lambd": 3}); err == nil || !strings.Contains(err.Error(), "Argument lambd should be callable") {
		t.Errorf("the error of a number is %v", err)
	}
}

// TestTableEqualsTensors: what a batch's table looks up is what the tensors' operations give, for each kind of image.
func TestTableEqualsTensors(t *testing.T) {
	defer tensor.Open().Close()
	tv := "torchvision.transforms."
	tr, err := build(t, m{"_target_": tv + "Compose", "transforms": []any{
		m{"_target_": tv + "ToTensor"}, m{"_target_": tv + "Normalize", "mean": []any{0.3}, "std": []any{0.7}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b, ok := Split(tr)
	if !ok {
		t.Fatal("it is not divided")
	}
	for _, mode := range []image.Mode{image.L, image.LA, image.RGB, image.RGBA, image.RGB} {
		p := image.New(mode, 7, 5)
		for i := range p.Pix {
			p.Pix[i] = byte(i * 37)
		}
		got, err := b.Tensors([]*image.Image{p, p})
		if err != nil {
			t.Fatal(err)
		}
		want, err := tr.Apply(p, draw.Default{})
		if err != nil {
			t.Fatal(err)
		}
		if g, w := got.(tensor.Tensor).Select(0, 1), want.(tensor.Tensor); !slices.Equal(tensor.Values[float32](g), tensor.Values[float32](w)) {
			t.Errorf("%s: other numbers", mode)
		}
	}
}
