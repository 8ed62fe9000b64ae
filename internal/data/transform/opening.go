package transform

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
)

// part is a rectangle of an image.
type part struct{ top, left, height, width int }

// cropper says what it takes of images of h by w, and what it does to that; nil leaves it as it is. It draws what it draws
// for an image of that size.
type cropper func(h, w int, r lighter.Rand) (part, leafFunc, error)

// cropped is a transform that begins by taking a part of the image, so that a file's other pixels need not be decoded.
type cropped struct {
	planned
	begin cropper
}

func cropping(begin cropper) cropped {
	return cropped{begin: begin, planned: planned{plan: func(in []lighter.Value, r lighter.Rand) (leafFunc, error) {
		h, w, err := sizeOf(in)
		if err != nil {
			return nil, err
		}
		p, after, err := begin(h, w, r)
		if err != nil {
			return nil, err
		}
		return func(v lighter.Value) (lighter.Value, error) {
			if p != (part{0, 0, h, w}) {
				if v, err = crop(v, p.top, p.left, p.height, p.width); err != nil {
					return nil, err
				}
			}
			if after == nil {
				return v, nil
			}
			return after(v)
		}, nil
	}}}
}

// OnFile does a transform to an image file, of which it decodes what the first step takes; nil gives the image.
func OnFile(t lighter.Transform, f *image.File, r lighter.Rand) (v lighter.Value, err error) {
	steps, _ := t.(chain)
	if steps == nil && t != nil {
		steps = chain{t}
	}
	for len(steps) > 0 { // a chain within a chain
		inner, ok := steps[0].(chain)
		if !ok {
			break
		}
		steps = append(inner[:len(inner):len(inner)], steps[1:]...)
	}
	if len(steps) == 0 {
		return f.Image()
	}
	first, ok := steps[0].(cropped)
	if !ok {
		if v, err = f.Image(); err != nil {
			return nil, err
		}
		return steps.Apply(v, r)
	}
	p, after, err := first.begin(f.Height, f.Width, r)
	if err != nil {
		return nil, err
	}
	if v, err = f.Crop(p.top, p.left, p.height, p.width); err != nil {
		return nil, err
	}
	if after != nil {
		if v, err = after(v); err != nil {
			return nil, err
		}
	}
	return steps[1:].Apply(v, r)
}
