package callback

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// writers are the names of FileWriter's writer_fn, each with its own suffix.
var writers = map[string]func(path string, v lighter.Value) error{
	"tensor":   tensorWriter.writeValue,
	"image_2d": image2DWriter.writeValue,
	"image_3d": image3DWriter.writeValue,
	"text":     textWriter.writeValue,
}

var (
	tensorWriter  = WriteTensor{Suffix: ".pt", encode: torchSave}
	image2DWriter = WriteTensor{Suffix: ".png", encode: encodeImage2D}
	image3DWriter = WriteTensor{Suffix: ".png", encode: encodeImage3D}
	textWriter    = WriteText{Suffix: ".txt", Encoding: "utf-8"}
)

func init() {
	const module = "lighter.callbacks.file_writer."
	lighter.Register[any](module+"write_tensor", tensorWriter)
	lighter.Register[any](module+"write_image_2d", image2DWriter)
	lighter.Register[any](module+"write_image_3d", image3DWriter)
	lighter.Register[any](module+"write_text", textWriter)
}

// WriteTensor are the arguments of the functions that write a tensor to a file: with torch.save, or as a PNG.
type WriteTensor struct {
	Path   string `cfg:"path,required" help:"the file to write; its ending gives way to suffix"`
	Tensor any    `cfg:"tensor,required,aka=value" help:"what to write"`
	Suffix string `cfg:"suffix" help:"the ending of the file's name"`

	encode func(v lighter.Value) ([]byte, error)
}

// Doc is the component's prose.
func (WriteTensor) Doc() string {
	return "A function of (path, tensor) for the `writer_fn` of `lighter.callbacks.FileWriter`: name it with `_mode_: callable`."
}

// Validate checks the suffix.
func (a WriteTensor) Validate() error { return checkSuffix(a.Suffix) }

// Build writes the file and gives its path.
func (a WriteTensor) Build(*lighter.Env) (any, error) {
	return withSuffix(a.Path, a.Suffix), a.writeValue(a.Path, a.Tensor)
}

func (a WriteTensor) writeValue(path string, v lighter.Value) error {
	data, err := a.encode(v)
	if err != nil {
		return err
	}
	return os.WriteFile(withSuffix(path, a.Suffix), data, 0o666)
}

// WriteText are the arguments of the function that writes str(value) to a file.
type WriteText struct {
	Path     string `cfg:"path,required" help:"the file to write; its ending gives way to suffix"`
	Value    any    `cfg:"value,required" help:"what to write"`
	Suffix   string `cfg:"suffix" help:"the ending of the file's name"`
	Encoding string `cfg:"encoding" oneof:"utf-8|utf8|ascii" help:"how characters become bytes"`
}

// Doc is the component's prose.
func (WriteText) Doc() string {
	return "A function of (path, value) for the `writer_fn` of `lighter.callbacks.FileWriter`: name it with `_mode_: callable`."
}

// Validate checks the suffix.
func (a WriteText) Validate() error { return checkSuffix(a.Suffix) }

// Build writes the file and gives its path.
func (a WriteText) Build(*lighter.Env) (any, error) {
	return withSuffix(a.Path, a.Suffix), a.writeValue(a.Path, a.Value)
}

func (a WriteText) writeValue(path string, v lighter.Value) error {
	text, err := pythonStr(v)
	if err != nil {
		return err
	}
	if a.Encoding == "ascii" {
		if i := strings.IndexFunc(text, func(r rune) bool { return r > 127 }); i >= 0 {
			return fmt.Errorf("write_text: 'ascii' codec can't encode a character of %q", text)
		}
	}
	return os.WriteFile(withSuffix(path, a.Suffix), []byte(text), 0o666)
}

func checkSuffix(suffix string) error {
	if suffix == "." || suffix != "" && !strings.HasPrefix(suffix, ".") || strings.Contains(suffix, "/") {
		return lighter.FieldError("suffix", "Invalid suffix %s", pythonRepr(suffix))
	}
	return nil
}

// withSuffix is pathlib's Path.with_suffix: the suffix takes the place of one that is there.
func withSuffix(path, suffix string) string {
	return strings.TrimSuffix(path, fileSuffix(path)) + suffix
}

// fileSuffix is pathlib's Path.suffix: from the last dot of the name on, unless the name begins or ends with it.
func fileSuffix(path string) string {
	name := filepath.Base(path)
	if i := strings.LastIndexByte(name, '.'); i > 0 && i < len(name)-1 {
		return name[i:]
	}
	return ""
}

// torchSave is the file torch.save makes. A tensor's own elements are written, not the batch it is a part of.
func torchSave(v lighter.Value) ([]byte, error) {
	root, err := savedForm(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = torchfile.Write(&b, root)
	return b.Bytes(), err
}

func savedForm(v lighter.Value) (any, error) {
	switch x := v.(type) {
	case tensor.Tensor:
		for d := torchfile.Float32; d.Valid(); d++ {
			if d.String() == x.DType().String() {
				return torchfile.NewTensor(d, x.Shape(), x.Bytes()), nil
			}
		}
		return nil, fmt.Errorf("write_tensor: a tensor of type %s cannot be saved", x.DType())
	case lighter.List:
		items := make([]any, len(x))
		for i := range x {
			item, err := savedForm(x[i])
			if err != nil {
				return nil, err
			}
			items[i] = item
		}
		return items, nil
	case lighter.Dict:
		d := torchfile.NewDict()
		for _, k := range slices.Sorted(maps.Keys(x)) {
			item, err := savedForm(x[k])
			if err != nil {
				return nil, err
			}
			d.Set(k, item)
		}
		return d, nil
	}
	return v, nil
}

// encodeImage2D is the PNG of a tensor of shape [channels, height, width] with values from 0 to 1.
func encodeImage2D(v lighter.Value) ([]byte, error) {
	t, err := imageTensor("write_image_2d", v)
	if err != nil {
		return nil, err
	}
	if t.Dim() != 3 {
		return nil, wording("write_image_2d expects a 3D tensor (CHW), got %d dimensions.", t.Dim())
	}
	return encodePNG(t, int(t.Size(1)), int(t.Size(2)))
}

// encodeImage3D is the PNG of a tensor of shape [channels, depth, height, width], the slices one below the other.
func encodeImage3D(v lighter.Value) ([]byte, error) {
	t, err := imageTensor("write_image_3d", v)
	if err != nil {
		return nil, err
	}
	if t.Dim() != 4 {
		return nil, wording("write_image_3d expects a 4D tensor (CDHW), got %d dimensions.", t.Dim())
	}
	return encodePNG(t, int(t.Size(1)*t.Size(2)), int(t.Size(3)))
}

func imageTensor(function string, v lighter.Value) (tensor.Tensor, error) {
	t, ok := v.(tensor.Tensor)
	if !ok {
		return t, fmt.Errorf("%s expects a tensor, got %s", function, lighter.TypeName(v))
	}
	return t, nil
}

// encodePNG makes a grey or an RGB picture of planes of height*width values.
func encodePNG(t tensor.Tensor, height, width int) ([]byte, error) {
	channels := t.Size(0)
	if channels != 1 && channels != 3 {
		return nil, wording("The number of channels should be 1 or 3, got: %d", channels)
	}
	if height == 0 || width == 0 {
		return nil, errors.New("an image without pixels cannot be written")
	}
	values := tensor.Values[float32](t)
	plane := height * width
	var picture image.Image
	if channels == 1 {
		grey := image.NewGray(image.Rect(0, 0, width, height))
		for i, v := range values {
			grey.Pix[i] = byteOf(v)
		}
		picture = grey
	} else {
		rgb := image.NewNRGBA(image.Rect(0, 0, width, height)) // opaque, and so written without alpha
		for i := range plane {
			rgb.Pix[4*i], rgb.Pix[4*i+1], rgb.Pix[4*i+2], rgb.Pix[4*i+3] = byteOf(values[i]), byteOf(values[plane+i]), byteOf(values[2*plane+i]), 255
		}
		picture = rgb
	}
	var b bytes.Buffer
	err := png.Encode(&b, picture)
	return b.Bytes(), err
}

// byteOf is (v.clamp(0, 1) * 255).to(torch.uint8); NaN is 0.
func byteOf(v float32) byte {
	if v != v {
		return 0
	}
	return byte(min(max(v, 0), 1) * 255)
}
