package vision

import (
	"bytes"
	stdimage "image"
	"image/color"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
)

// TestImageMasks: what moves an image moves its mask, of which no number changes: here each grey is ten times the class.
func TestImageMasks(t *testing.T) {
	defer tensor.Open().Close()
	root := t.TempDir()
	encode := func(p stdimage.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, p); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	grey := stdimage.NewGray(stdimage.Rect(0, 0, 12, 9))
	mask := stdimage.NewPaletted(grey.Rect, color.Palette{color.Black, color.White, color.RGBA{200, 0, 0, 255}, color.RGBA{0, 99, 0, 255}})
	for i := range grey.Pix {
		mask.Pix[i] = byte(i*i/5) % 4
		grey.Pix[i] = 10 * mask.Pix[i]
	}
	write(t, filepath.Join(root, "images/a.bmp.png"), encode(grey))
	write(t, filepath.Join(root, "images/b.png"), encode(grey))
	write(t, filepath.Join(root, "masks/a.bmp.png"), encode(mask))
	x := m{"_target_": "lighter.datasets.ImageMasks", "images": filepath.Join(root, "images"), "masks": filepath.Join(root, "masks")}
	if _, err := build(t, x); err == nil || !strings.Contains(err.Error(), "there is no mask of "+filepath.Join(root, "images/b.png")) {
		t.Errorf("the error of a missing mask is %v", err)
	}
	classes := stdimage.NewGray(grey.Rect) // grey values are classes too
	copy(classes.Pix, mask.Pix)
	write(t, filepath.Join(root, "masks/b.png"), encode(classes))
	v2 := "torchvision.transforms.v2."
	x["transform"] = m{"_target_": v2 + "Compose", "transforms": []any{
		m{"_target_": v2 + "RandomHorizontalFlip"}, m{"_target_": v2 + "RandomCrop", "size": 7}, m{"_target_": v2 + "RandomVerticalFlip"},
		m{"_target_": v2 + "RandomRotation", "degrees": []any{90, 90}}, m{"_target_": v2 + "ColorJitter", "hue": 0.2},
		m{"_target_": v2 + "ToImage"}, m{"_target_": v2 + "ToDtype", "dtype": "torch.float32", "scale": true},
	}}
	d, err := build(t, x)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 12 {
		v, err := d.(lighter.Drawer).Draw(k%2, draw.Stream(3, uint64(k)))
		if err != nil {
			t.Fatal(err)
		}
		sample := v.(lighter.List)
		image, mask := sample[0].(tensor.Tensor), sample[1].(tensor.Tensor)
		if image.DType() != tensor.Float32 || mask.DType() != tensor.Int64 || len(mask.Shape()) != 2 || mask.Shape()[0] != 7 {
			t.Fatalf("the image is of %v %v, the mask of %v %v", image.DType(), image.Shape(), mask.DType(), mask.Shape())
		}
		greys, classes := tensor.Values[float64](image.Select(0, 0)), tensor.Values[int64](mask)
		for i, c := range classes {
			if got := int64(greys[i]*255 + 0.5); got != 10*c {
				t.Fatalf("draw %d: grey %d lies on class %d at %d", k, got, c, i)
			}
		}
	}
	write(t, filepath.Join(root, "masks/b.png"), picture(t, 1, 5))
	if _, err := d.Item(1); err == nil || !strings.Contains(err.Error(), "is of 12x9 pixels, its mask") {
		t.Errorf("the error of another size is %v", err)
	}
}
