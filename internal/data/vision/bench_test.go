package vision

import (
	"os"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
)

// BenchmarkPhotos makes batches of the usual training transforms of the photos in the folder that PHOTOS names.
func BenchmarkPhotos(b *testing.B) {
	root := os.Getenv("PHOTOS")
	if root == "" {
		b.Skip("PHOTOS names no folder")
	}
	tv := "torchvision.transforms."
	d, err := build(b, m{"_target_": "torchvision.datasets.ImageFolder", "root": root, "transform": m{"_target_": tv + "Compose", "transforms": []any{
		m{"_target_": tv + "RandomResizedCrop", "size": 224}, m{"_target_": tv + "RandomHorizontalFlip"},
		m{"_target_": tv + "ToTensor"}, m{"_target_": tv + "Normalize", "mean": []any{0.5, 0.4, 0.3}, "std": []any{0.2, 0.3, 0.4}},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	index := make([]int64, 64)
	n := 0
	for b.Loop() {
		s := tensor.Open()
		for k := range index {
			index[k] = int64((n + k) % d.Len())
		}
		if _, _, err := d.(lighter.Batcher).Batch(index, func(k int) lighter.Rand { return draw.Stream(7, uint64(n+k)) }); err != nil {
			b.Fatal(err)
		}
		n += 64
		s.Close()
	}
}
