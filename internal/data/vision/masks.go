package vision

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// ImageMasks is lighter.datasets.ImageMasks.
type ImageMasks struct {
	Images    string             `cfg:"images,required" help:"the folder of the images"`
	Masks     string             `cfg:"masks,required" help:"the folder of the masks: for each image one with its name, whatever the ending"`
	Transform transform.Argument `cfg:"transform" help:"what is done to each pair of image and mask"`
}

// Doc is the reference's text.
func (ImageMasks) Doc() string {
	return `Images with a mask each, in the order of the images' names. A sample is (image, mask): an RGB image, and a mask int64 [H, W] of
class numbers, which are the entries of a palette or the values of a grey image. A transform of torchvision.transforms.v2 moves
both alike and interpolates the image only.`
}

// Build finds the files.
func (c ImageMasks) Build(*lighter.Env) (lighter.Dataset, error) {
	p := &pairs{change: c.Transform.Transform}
	byName, masks := map[string]string{}, expandHome(c.Masks)
	files, err := picturesIn(masks)
	if err != nil {
		return nil, lighter.FieldError("masks", "%w", &lighter.DataError{Err: err})
	}
	for _, f := range files {
		byName[stem(f)] = f
	}
	if files, err = picturesIn(expandHome(c.Images)); err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: there is no image. Supported extensions are: %s", c.Images, strings.Join(imageExtensions, ", "))
	}
	if err != nil {
		return nil, lighter.FieldError("images", "%w", &lighter.DataError{Err: err})
	}
	for _, f := range files {
		mask, ok := byName[stem(f)]
		if !ok {
			return nil, lighter.FieldError("masks", "%w", &lighter.DataError{Err: fmt.Errorf("%s: there is no mask of %s: it must be called %s.png", masks, f, stem(f))})
		}
		p.images, p.masks = append(p.images, f), append(p.masks, mask)
	}
	return p, nil
}

// stem is a file's name without its ending.
func stem(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// picturesIn lists the files of a folder that may be images, by name.
func picturesIn(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(imageExtensions, strings.ToLower(filepath.Ext(e.Name()))) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, err
}

// pairs is images with masks.
type pairs struct {
	images, masks []string
	change        lighter.Transform
}

// Len is the number of images.
func (p *pairs) Len() int { return len(p.images) }

// Item gives (image, mask).
func (p *pairs) Item(i int) (lighter.Value, error) { return p.Draw(i, draw.Default{}) }

// Draw implements [lighter.Drawer].
func (p *pairs) Draw(i int, r lighter.Rand) (_ lighter.Value, err error) {
	defer tensor.Recover(&err)
	m, err := image.Open(p.images[i])
	if err != nil {
		return nil, err
	}
	pix, w, h, err := image.Indices(p.masks[i])
	switch {
	case err != nil:
		return nil, err
	case w != m.Width || h != m.Height:
		return nil, fmt.Errorf("%s is of %dx%d pixels, its mask %s of %dx%d", p.images[i], m.Width, m.Height, p.masks[i], w, h)
	}
	var v lighter.Value = lighter.List{m.Convert(image.RGB), transform.Mask{Tensor: tensor.FromSlice(pix, int64(h), int64(w))}}
	if p.change != nil {
		if v, err = p.change.Apply(v, r); err != nil {
			return nil, fmt.Errorf("transform: %w", err)
		}
	}
	return transform.Plain(v), nil
}

var _ lighter.Drawer = (*pairs)(nil)

func init() {
	registry.Register[lighter.Dataset]("lighter.datasets.ImageMasks", ImageMasks{})
}
