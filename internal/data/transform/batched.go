package transform

import (
	"fmt"
	"sync"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/tensor"
)

// Batched is a transform in two parts: Image is done to each image, in the order of the samples, and Tensors then once to all,
// [N, C, H, W].
type Batched struct {
	image  chain
	rest   []pixelwise
	tables *sync.Map // by the number of bands, what the rest makes of every byte: [][256]float32, nil if not floats
}

// Split divides a transform of images; ok is false where it must be done to samples.
func Split(t lighter.Transform) (b Batched, ok bool) {
	b.tables = &sync.Map{}
	steps := flat(t, nil)
	for i, s := range steps {
		p, is := s.(pixelwise)
		if !is {
			if b.rest != nil {
				return b, false
			}
			continue
		}
		if b.rest == nil && p.begins == nil {
			continue
		}
		if b.rest == nil {
			b.image = steps[:i:i]
		}
		b.rest = append(b.rest, p)
	}
	return b, b.rest != nil
}

func flat(t lighter.Transform, steps chain) chain {
	if c, ok := t.(chain); ok {
		for _, s := range c {
			steps = flat(s, steps)
		}
		return steps
	}
	return append(steps, t)
}

// Image does the first part to one image file.
func (b Batched) Image(f *image.File, r lighter.Rand) (*image.Image, error) {
	v, err := OnFile(b.image, f, r)
	if err != nil {
		return nil, err
	}
	out, ok := v.(*image.Image)
	if !ok {
		return nil, fmt.Errorf("the transforms before the conversion to a tensor gave a %s", typeName(v))
	}
	return out, nil
}

// Tensors makes the batch of images that Image gave.
func (b Batched) Tensors(images []*image.Image) (lighter.Value, error) {
	first := images[0]
	for _, m := range images {
		if m.Mode != first.Mode || m.Width != first.Width || m.Height != first.Height || !b.rest[0].begins(m) {
			return b.each(images)
		}
	}
	bands, n, size := first.Mode.Bands(), len(images), first.Width*first.Height
	shape := []int64{int64(n), int64(bands), int64(first.Height), int64(first.Width)}
	table, err := b.table(bands)
	if err != nil {
		return nil, err
	}
	if table == nil {
		pix := make([]byte, 0, n*size*bands)
		for _, m := range images {
			pix = append(pix, m.Pix...)
		}
		t := tensor.FromBytes(pix, tensor.Uint8, []int64{shape[0], shape[2], shape[3], shape[1]})
		return b.tensors(call("permute", t, []int64{0, 3, 1, 2}).Contiguous())
	}
	return tensor.Filled(shape, func(out []float32) {
		for i, m := range images {
			image.Spread(m, table, out[i*bands*size:(i+1)*bands*size])
		}
	}), nil
}

// tensors does the rest to bytes [N, C, H, W].
func (b Batched) tensors(t tensor.Tensor) (_ tensor.Tensor, err error) {
	for _, p := range b.rest {
		if t, err = p.batch(t); err != nil {
			return t, err
		}
	}
	return t, nil
}

// table is what the rest makes of every byte in each of the bands, found by doing it to them; nil where that is no float32, or has
// another number of bands.
func (b Batched) table(bands int) ([][256]float32, error) {
	if t, ok := b.tables.Load(bands); ok {
		return t.([][256]float32), nil
	}
	s := tensor.Open()
	defer s.Close()
	bytes := make([]byte, 256*bands)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	t, err := b.tensors(tensor.FromBytes(bytes, tensor.Uint8, []int64{1, int64(bands), 16, 16}))
	if err != nil {
		return nil, err
	}
	var table [][256]float32
	if t.DType() == tensor.Float32 && t.Numel() == int64(len(bytes)) {
		table = make([][256]float32, bands)
		for i, v := range tensor.Values[float32](t) {
			table[i/256][i%256] = v
		}
	}
	b.tables.Store(bands, table)
	return table, nil
}

// each makes the batch image by image, as a loader collates it: the error for unequal sizes is stack's.
func (b Batched) each(images []*image.Image) (lighter.Value, error) {
	ts := make([]tensor.Tensor, len(images))
	for i, m := range images {
		var v lighter.Value = m
		for _, p := range b.rest {
			var err error
			if v, err = p.Apply(v, nil); err != nil {
				return nil, err
			}
		}
		ts[i] = Plain(v).(tensor.Tensor)
	}
	return tensor.Stack(ts, 0), nil
}
