package vision

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// A batch that is made at once is that of its samples, in every bit: whatever the chain of transforms is, and where it cannot be done
// by a table.
func TestBatchesAreTheirSamples(t *testing.T) {
	of := func(name string, arguments m) m {
		x := m{"_target_": "torchvision.transforms." + name}
		for k, v := range arguments {
			x[k] = v
		}
		return x
	}
	crop, flip := of("RandomCrop", m{"size": 8, "padding": 2}), of("RandomHorizontalFlip", nil)
	floats := func(n int) []any {
		return []any{0.3, 0.7, 0.1}[:n]
	}
	for name, transforms := range map[string][]any{
		"floats":               {crop, flip, of("ToTensor", nil), of("Normalize", m{"mean": floats(3), "std": floats(3)})},
		"bytes":                {crop, of("PILToTensor", nil)},
		"half":                 {of("v2.ToImage", nil), of("v2.ToDtype", m{"dtype": "torch.float16", "scale": true}), of("v2.Normalize", m{"mean": floats(1), "std": floats(1)})},
		"double":               {of("PILToTensor", nil), of("ConvertImageDtype", m{"dtype": "torch.float64"})},
		"channels of the mean": {of("Grayscale", nil), of("ToTensor", nil), of("Normalize", m{"mean": floats(3), "std": floats(3)})},
		"one channel":          {of("Grayscale", nil), flip, of("ToTensor", nil), of("Normalize", m{"mean": floats(1), "std": floats(1)})},
	} {
		t.Run(name, func(t *testing.T) {
			tensortest.Scope(t)
			d, err := build(t, m{"_target_": "torchvision.datasets.FakeData", "size": 5, "image_size": []any{3, 8, 8}, "transform": of("Compose", m{"transforms": transforms})})
			if err != nil {
				t.Fatal(err)
			}
			index := []int64{3, 0, 4, 3}
			rand := func(k int) lighter.Rand { return draw.Stream(7, uint64(k)) }
			batch, ok, err := d.(lighter.Batcher).Batch(index, rand)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			got := batch.(lighter.List)[0].(tensor.Tensor)
			var samples []tensor.Tensor
			for k, i := range index {
				s, err := d.(lighter.Drawer).Draw(int(i), rand(k))
				if err != nil {
					t.Fatal(err)
				}
				samples = append(samples, s.(lighter.List)[0].(tensor.Tensor))
			}
			want := tensor.Stack(samples, 0)
			if fmt.Sprint(got) != fmt.Sprint(want) || !bytes.Equal(got.Contiguous().Bytes(), want.Bytes()) {
				t.Errorf("the batch is %v, its samples are %v", got, want)
			}
		})
	}
}
