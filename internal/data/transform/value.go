// Package transform is torchvision.transforms and torchvision.transforms.v2. An image is a [image.Image], which is treated as
// torchvision treats Pillow's, or a tensor [..., C, H, W], which libtorch's operators change as torchvision's tensor functions
// do. In a sample of several parts a [Mask] moves with its image and keeps its values.
package transform

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/tensor"
)

// Mask is torchvision.tv_tensors.Mask: whole numbers [..., H, W] that say what each pixel shows.
type Mask struct{ tensor.Tensor }

// Picture is torchvision.tv_tensors.Image: a tensor [..., C, H, W] that is known to be an image.
type Picture struct{ tensor.Tensor }

// Plain is a sample without the marks of [Mask] and [Picture]: what a loader collates.
func Plain(v lighter.Value) lighter.Value {
	out, _ := mapLeaves(v, func(leaf lighter.Value) (lighter.Value, error) {
		switch x := leaf.(type) {
		case Mask:
			return x.Tensor, nil
		case Picture:
			return x.Tensor, nil
		}
		return leaf, nil
	})
	return out
}

// mapLeaves is v with f applied to all that is no list and no dict, in order.
func mapLeaves(v lighter.Value, f func(lighter.Value) (lighter.Value, error)) (lighter.Value, error) {
	switch x := v.(type) {
	case lighter.List:
		out := make(lighter.List, len(x))
		for i, e := range x {
			var err error
			if out[i], err = mapLeaves(e, f); err != nil {
				return nil, err
			}
		}
		return out, nil
	case lighter.Dict:
		out := make(lighter.Dict, len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			var err error
			if out[k], err = mapLeaves(x[k], f); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return f(v)
}

// leafFunc changes one image or mask.
type leafFunc func(v lighter.Value) (lighter.Value, error)

// planner draws what one application needs and says what is done to each of the parts in; nil leaves them as they are.
type planner func(in []lighter.Value, r lighter.Rand) (leafFunc, error)

// planned is a transform of images, and of the masks beside them.
type planned struct {
	plan planner
}

// fixed is a transform that draws nothing.
func fixed(f leafFunc) planned {
	return planned{plan: func([]lighter.Value, lighter.Rand) (leafFunc, error) { return f, nil }}
}

// sometimes is a transform that is left out with probability 1-p.
func sometimes(p float64, plan planner) planned {
	return planned{plan: func(in []lighter.Value, r lighter.Rand) (leafFunc, error) {
		if r.Uniform(0, 1) >= p {
			return nil, nil
		}
		return plan(in, r)
	}}
}

// always is a plan without parameters.
func always(f leafFunc) planner {
	return func([]lighter.Value, lighter.Rand) (leafFunc, error) { return f, nil }
}

// Apply implements [lighter.Transform].
func (t planned) Apply(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
	switch v.(type) {
	case lighter.List, lighter.Dict:
	case *image.Image, tensor.Tensor, Mask, Picture:
		f, err := t.plan([]lighter.Value{v}, r)
		if f == nil || err != nil {
			return v, err
		}
		return f(v)
	}
	in := imagesOf(v)
	f, err := t.plan(in, r)
	if f == nil || err != nil {
		return v, err
	}
	return mapSelected(v, in, f)
}

// mapSelected applies f to those leaves of v that are in.
func mapSelected(v lighter.Value, in []lighter.Value, f leafFunc) (lighter.Value, error) {
	at := 0
	return mapLeaves(v, func(leaf lighter.Value) (lighter.Value, error) {
		if at < len(in) && leaf == in[at] {
			at++
			return f(leaf)
		}
		return leaf, nil
	})
}

// imagesOf is what a transform changes in a sample: images and masks; the first plain tensor only where there is no image.
func imagesOf(v lighter.Value) []lighter.Value {
	marked := false
	_, _ = mapLeaves(v, func(leaf lighter.Value) (lighter.Value, error) {
		switch leaf.(type) {
		case *image.Image, Picture:
			marked = true
		}
		return leaf, nil
	})
	var in []lighter.Value
	_, _ = mapLeaves(v, func(leaf lighter.Value) (lighter.Value, error) {
		switch leaf.(type) {
		case *image.Image, Picture, Mask:
			in = append(in, leaf)
		case tensor.Tensor:
			if !marked {
				in = append(in, leaf)
			}
			marked = true
		}
		return leaf, nil
	})
	return in
}

// rewrap gives t the mark that v has.
func rewrap(v lighter.Value, t tensor.Tensor) lighter.Value {
	switch v.(type) {
	case Mask:
		return Mask{t}
	case Picture:
		return Picture{t}
	}
	return t
}

// tensorOf is the tensor behind a leaf.
func tensorOf(v lighter.Value) (tensor.Tensor, bool) {
	switch x := v.(type) {
	case tensor.Tensor:
		return x, true
	case Mask:
		return x.Tensor, true
	case Picture:
		return x.Tensor, true
	}
	return tensor.Tensor{}, false
}

// dims is the number of channels, rows and columns of an image; a mask has one channel.
func dims(v lighter.Value) (c, h, w int, err error) {
	if m, ok := v.(*image.Image); ok {
		return m.Bands(), m.Height, m.Width, nil
	}
	t, ok := tensorOf(v)
	if !ok {
		return 0, 0, 0, fmt.Errorf("expected an image or a tensor, got %s", typeName(v))
	}
	s := t.Shape()
	n := len(s)
	if n < 2 {
		return 0, 0, 0, says("Tensor is not a torch image: its shape is %v", s)
	}
	c = 1
	if _, mask := v.(Mask); n > 2 && !mask {
		c = int(s[n-3])
	}
	return c, int(s[n-2]), int(s[n-1]), nil
}

// sizeOf is the size that all images and masks of a sample have.
func sizeOf(in []lighter.Value) (h, w int, err error) {
	if len(in) == 0 {
		return 0, 0, says("No image, video, mask, bounding box of keypoint was found in the sample")
	}
	for i, v := range in {
		_, hi, wi, err := dims(v)
		if err != nil {
			return 0, 0, err
		}
		if i > 0 && (hi != h || wi != w) {
			return 0, 0, says("Found multiple HxW dimensions in the sample: (%d, %d), (%d, %d)", h, w, hi, wi)
		}
		h, w = hi, wi
	}
	return h, w, nil
}

// shapeOf is the channels and size that all images of a sample have.
func shapeOf(in []lighter.Value) (c, h, w int, err error) {
	found := false
	for _, v := range in {
		if _, mask := v.(Mask); mask {
			continue
		}
		ci, hi, wi, err := dims(v)
		if err != nil {
			return 0, 0, 0, err
		}
		if found && (ci != c || hi != h || wi != w) {
			return 0, 0, 0, says("Found multiple CxHxW dimensions in the sample: (%d, %d, %d), (%d, %d, %d)", c, h, w, ci, hi, wi)
		}
		found, c, h, w = true, ci, hi, wi
	}
	if !found {
		return 0, 0, 0, says("No image or video was found in the sample")
	}
	return c, h, w, nil
}

// typeName names a value for a message, by Python's classes.
func typeName(v lighter.Value) string {
	switch v.(type) {
	case *image.Image:
		return "PIL.Image.Image"
	case tensor.Tensor:
		return "torch.Tensor"
	case Mask:
		return "Mask"
	case Picture:
		return "Image"
	}
	return lighter.TypeName(v)
}

// toTensor copies an image's bytes to a tensor [C, H, W]: uint8, int16 for grey of 16 bits.
func toTensor(m *image.Image) tensor.Tensor {
	if m.Mode == image.I16 {
		return tensor.FromBytes(m.Pix, tensor.Int16, []int64{1, int64(m.Height), int64(m.Width)})
	}
	c := int64(m.Mode.Bands())
	t := tensor.FromBytes(m.Pix, tensor.Uint8, []int64{int64(m.Height), int64(m.Width), c})
	if c == 1 {
		return t.Reshape(1, int64(m.Height), int64(m.Width))
	}
	return tensor.CallOne("permute", t, []int64{2, 0, 1}).Contiguous()
}

// toImage copies a tensor [C, H, W] of bytes to an image of a mode.
func toImage(t tensor.Tensor, mode image.Mode) *image.Image {
	s := t.Shape()
	pix := tensor.CallOne("permute", t, []int64{1, 2, 0}).Contiguous().Bytes()
	return &image.Image{Mode: mode, Width: int(s[2]), Height: int(s[1]), Pix: pix}
}
