package files

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/data/shard"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/internal/weights"
	"github.com/lighter-go/lighter/tensor"
)

// sample makes what a sample's files hold: a list as to_tuple says, or a dict.
func (d *webDataset) sample(s *shard.Sample, r lighter.Rand) (v lighter.Value, err error) {
	defer tensor.Recover(&err)
	if len(d.tuple) == 0 {
		dict := lighter.Dict{"__key__": s.Key, "__url__": s.Shard}
		for _, name := range s.Names {
			if dict[name], err = d.decode(s, name); err != nil {
				return nil, err
			}
		}
		if d.arguments.Transform.Given() {
			return changed(dict, d.arguments.Transform, r, "transform")
		}
		return transform.Plain(dict), nil
	}
	list := make(lighter.List, len(d.tuple))
	for i, names := range d.tuple {
		k := slices.IndexFunc(names, func(name string) bool {
			return s.Files[name] != nil || slices.Contains(s.Names, name) || strings.HasPrefix(name, "__")
		})
		if k < 0 {
			return nil, &lighter.DataError{Err: fmt.Errorf("%s: didn't find %q: the sample has %s", s.Shard+": "+s.Key, strings.Join(names, ";"), quoted(s.Names, 20))}
		}
		if list[i], err = d.decode(s, names[k]); err != nil {
			return nil, err
		}
	}
	if d.arguments.Transform.Given() {
		if list[0], err = changed(list[0], d.arguments.Transform, r, "transform"); err != nil {
			return nil, err
		}
	}
	if d.arguments.TargetTransform.Given() {
		if list[1], err = changed(list[1], d.arguments.TargetTransform, r, "target_transform"); err != nil {
			return nil, err
		}
	}
	return transform.Plain(list), nil
}

func changed(v lighter.Value, t transform.Argument, r lighter.Rand, what string) (lighter.Value, error) {
	v, err := t.Apply(v, r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return transform.Plain(v), nil
}

// decode makes the value of a file; an error names it.
func (d *webDataset) decode(s *shard.Sample, name string) (lighter.Value, error) {
	switch name {
	case "__key__":
		return s.Key, nil
	case "__url__":
		return s.Shard, nil
	}
	v, err := d.decodeBytes(name, s.Files[name])
	if err != nil {
		return nil, &lighter.DataError{Err: fmt.Errorf("%s: %s.%s: %w", s.Shard, s.Key, name, err)}
	}
	return v, nil
}

func (d *webDataset) decodeBytes(name string, data []byte) (lighter.Value, error) {
	extension := strings.TrimPrefix(path.Ext("."+name), ".")
	switch extension {
	case "gz":
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err == nil {
			data, err = io.ReadAll(z)
		}
		if err != nil {
			return nil, fmt.Errorf("damaged gzip data: %w", err)
		}
		return d.decodeBytes(strings.TrimSuffix(name, ".gz"), data)
	case "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "bmp", "dib", "tif", "tiff", "gif":
		return d.image(data)
	case "cls", "cls2", "index", "inx", "id":
		n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%.40q is no int", data)
		}
		return n, nil
	case "txt", "text", "transcript":
		if at := invalid(data); at >= 0 {
			return nil, fmt.Errorf("byte %d is not UTF-8", at)
		}
		return string(data), nil
	case "json", "jsn":
		return decodeJSON(data)
	case "npy":
		return decodeNPY(name, data)
	case "npz":
		z, err := openNPZ(name, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, err
		}
		dict := lighter.Dict{}
		for _, array := range z.names() {
			f, err := z.open(array)
			if err == nil {
				dict[array], err = f.(*npyFile).all()
			}
			if err != nil {
				return nil, err
			}
		}
		return dict, nil
	case "pth", "pt":
		v, err := torchfile.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, err
		}
		return fromTorch(v)
	case "pkl", "pickle", "pyd":
		v, err := torchfile.ReadPickle(data)
		if err != nil {
			return nil, err
		}
		return fromTorch(v)
	case "ten", "tb", "mp", "msg", "cbor":
		return nil, fmt.Errorf("files of the extension %q are not decoded here", extension)
	}
	return string(data), nil
}

// image decodes an image as webdataset's imagespec says: its last letters are the mode and the type of numbers.
func (d *webDataset) image(data []byte) (lighter.Value, error) {
	m, err := image.Decode(data)
	if err != nil {
		return nil, err
	}
	spec, bytesOnly := strings.CutSuffix(d.arguments.Decode, "8")
	asTensor := strings.HasPrefix(spec, "torch")
	mode := image.RGB
	switch strings.TrimPrefix(strings.TrimPrefix(spec, "torch"), "pil") {
	case "l":
		mode = image.L
	case "rgba":
		mode = image.RGBA
	}
	m = m.Convert(mode)
	if !asTensor {
		return m, nil
	}
	shape := []int64{int64(m.Height), int64(m.Width)}
	t := tensor.FromBytes(m.Pix, tensor.Uint8, append(shape, int64(mode.Bands())))
	if mode == image.L { // [H, W], as webdataset gives it
		t = t.Reshape(shape...)
	} else {
		t = tensor.CallOne("permute", t, []int64{2, 0, 1}).Contiguous()
	}
	if bytesOnly {
		return t, nil
	}
	return tensor.CallOne("div", t.To(tensor.Device{}, tensor.Float32), 255.0), nil
}

// decodeNPY is the tensor of a .npy file.
func decodeNPY(name string, data []byte) (lighter.Value, error) {
	f, err := readNPY(name, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	return f.all()
}

// all is the whole array, which may be one number.
func (f *npyFile) all() (tensor.Tensor, error) {
	if len(f.shape) > 0 {
		return f.tensor(0, int(f.shape[0]))
	}
	f.shape = []int64{1}
	t, err := f.tensor(0, 1)
	if err != nil {
		return t, err
	}
	return t.Select(0, 0), nil
}

// decodeJSON keeps integers apart from floats, as Python does.
func decodeJSON(data []byte) (lighter.Value, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("the JSON is not UTF-8")
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	var v any
	if err := in.Decode(&v); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no JSON: there is more after it")
	}
	return fromJSON(v)
}

func fromJSON(v any) (lighter.Value, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("the number %s is too large", v)
		}
		return f, nil
	case []any:
		out := make(lighter.List, len(v))
		for i, item := range v {
			var err error
			if out[i], err = fromJSON(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := lighter.Dict{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			var err error
			if out[key], err = fromJSON(v[key]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// fromTorch turns what a file of PyTorch or a pickle holds into values.
func fromTorch(v any) (lighter.Value, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case *torchfile.Tensor:
		return weights.ToTensor(v)
	case *torchfile.Array:
		dtype, ok := npyTypes[v.Code]
		if !ok {
			return nil, fmt.Errorf("an array of %q has no tensor", v.Code)
		}
		return tensor.FromBytes(v.Data, dtype, v.Shape), nil
	case torchfile.Tuple:
		return fromTorch([]any(v))
	case []any:
		out := make(lighter.List, len(v))
		for i, item := range v {
			var err error
			if out[i], err = fromTorch(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *torchfile.Dict:
		out := lighter.Dict{}
		for key, item := range v.All() {
			x, err := fromTorch(item)
			if err != nil {
				return nil, err
			}
			out[fmt.Sprint(key)] = x
		}
		return out, nil
	}
	return nil, fmt.Errorf("it holds a %T, of which there is no value", v)
}
