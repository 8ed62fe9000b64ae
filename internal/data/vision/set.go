// Package vision is torchvision.datasets: images in folders, and the archives of well-known sets in the formats that their
// sites ship. A sample is (image, class); the image is one of package image until a transform makes a tensor of it.
package vision

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/tensor"
)

// set is images with a class each.
type set struct {
	n      int
	file   func(i int) (*image.File, error)
	class  func(i int) int64
	change lighter.Transform // of images, or nil
	target lighter.Transform // of classes, or nil
	split  transform.Batched
	whole  bool               // batches can be made at once
	place  func(i int) string // where image i comes from; or nil
}

func newSet(n int, load func(i int) (*image.File, error), class func(i int) int64, change, target transform.Argument) *set {
	s := &set{n: n, file: load, class: class, change: change.Transform, target: target.Transform}
	if change.Given() && !target.Given() {
		s.split, s.whole = transform.Split(change.Transform)
	}
	return s
}

// Len is the number of images.
func (s *set) Len() int { return s.n }

// Locate implements [lighter.Locator].
func (s *set) Locate(i int) string {
	if s.place == nil {
		return ""
	}
	return s.place(i)
}

// Item gives (image, class).
func (s *set) Item(i int) (lighter.Value, error) { return s.Draw(i, draw.Default{}) }

// Draw implements [lighter.Drawer].
func (s *set) Draw(i int, r lighter.Rand) (_ lighter.Value, err error) {
	defer tensor.Recover(&err)
	f, err := s.file(i)
	if err != nil {
		return nil, err
	}
	v, err := transform.OnFile(s.change, f, r)
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	return s.labelled(v, s.class(i), r)
}

// labelled is the sample of a changed image.
func (s *set) labelled(v, class lighter.Value, r lighter.Rand) (_ lighter.Value, err error) {
	if s.target != nil {
		if class, err = s.target.Apply(class, r); err != nil {
			return nil, fmt.Errorf("target_transform: %w", err)
		}
	}
	return lighter.List{transform.Plain(v), class}, nil
}

// Batch implements [lighter.Batcher]: what changes pixels one by one is done once to the whole batch.
func (s *set) Batch(index []int64, rand func(k int) lighter.Rand) (_ lighter.Value, ok bool, err error) {
	if !s.whole {
		return nil, false, nil
	}
	images, classes := make([]*image.Image, len(index)), make([]int64, len(index))
	for k, i := range index {
		f, err := s.file(int(i))
		if err == nil {
			images[k], err = s.split.Image(f, rand(k))
		}
		if err != nil {
			return nil, false, fmt.Errorf("sample %d: %w", i, err)
		}
		classes[k] = s.class(int(i))
	}
	v, err := s.split.Tensors(images)
	if err != nil {
		return nil, false, err
	}
	return lighter.List{v, tensor.FromSlice(classes, int64(len(classes)))}, true, nil
}

// inMemory is a set of images of one size, whose bytes lie one after the other, interleaved.
func inMemory(mode image.Mode, h, w int, pix []byte, classes []int64, change, target transform.Argument) *set {
	size := h * w * mode.Bands()
	return newSet(len(classes), func(i int) (*image.File, error) {
		return image.FileOf(&image.Image{Mode: mode, Width: w, Height: h, Pix: pix[i*size : (i+1)*size : (i+1)*size]}), nil
	}, func(i int) int64 { return classes[i] }, change, target)
}

// inRoot blames the argument root for a fault of the files in it.
func inRoot(d lighter.Dataset, err error) (lighter.Dataset, error) {
	if err != nil {
		return nil, lighter.FieldError("root", "%w", &lighter.DataError{Err: err})
	}
	return d, nil
}

// interleaved turns planes [C, H·W] of n images into pixels.
func interleaved(pix []byte, n, c, size int) []byte {
	out := make([]byte, len(pix))
	for i := range n {
		from, to := pix[i*c*size:(i+1)*c*size], out[i*c*size:(i+1)*c*size]
		for k := range c {
			for p, v := range from[k*size : (k+1)*size] {
				to[p*c+k] = v
			}
		}
	}
	return out
}

var (
	_ lighter.Drawer  = (*set)(nil)
	_ lighter.Batcher = (*set)(nil)
	_ lighter.Locator = (*set)(nil)
)
