package vision

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/internal/registry"
)

// SVHN is torchvision.datasets.SVHN.
type SVHN struct {
	Root            string             `cfg:"root,required" help:"the folder that holds the files"`
	Split           string             `cfg:"split" help:"the part" oneof:"train|test|extra"`
	Transform       transform.Argument `cfg:"transform" help:"what is done to each image"`
	TargetTransform transform.Argument `cfg:"target_transform" help:"what is done to each class, an int"`
	Download        bool               `cfg:"download" help:"get the file when it is not there"`
}

// Doc is the reference's text.
func (SVHN) Doc() string {
	return "RGB images of 32x32 pixels of house numbers, in a MATLAB file: ROOT/train_32x32.mat and so on."
}

var svhnFiles = map[string]remote{
	"train": {"train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373", []string{"http://ufldl.stanford.edu/housenumbers/train_32x32.mat"}},
	"test":  {"test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3", []string{"http://ufldl.stanford.edu/housenumbers/test_32x32.mat"}},
	"extra": {"extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7", []string{"http://ufldl.stanford.edu/housenumbers/extra_32x32.mat"}},
}

// Build reads the part.
func (c SVHN) Build(env *lighter.Env) (lighter.Dataset, error) { return inRoot(c.read(env)) }

func (c SVHN) read(env *lighter.Env) (lighter.Dataset, error) {
	root, file := expandHome(c.Root), svhnFiles[c.Split]
	if c.Download {
		if err := fetch(file, root, env); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(root, file.name)
	if err := verify(path, file.md5); err != nil {
		return nil, missing("torchvision.datasets.SVHN", root, []string{file.name}, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pix, classes, h, w, err := parseSVHN(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return inMemory(image.RGB, h, w, pix, classes, c.Transform, c.TargetTransform), nil
}

// parseSVHN reads X, uint8 [H, W, 3, N], and y, [N, 1], where 10 stands for the digit 0.
func parseSVHN(data []byte) (pix []byte, classes []int64, h, w int, err error) {
	vars, err := parseMAT(data)
	if err != nil {
		return nil, nil, 0, 0, err
	}
	x, y := vars["X"], vars["y"]
	if len(x.shape) != 4 || x.shape[2] != 3 || x.shape[0] < 1 || x.shape[1] < 1 {
		return nil, nil, 0, 0, fmt.Errorf("its X is no uint8 array of shape [H, W, 3, N]: %v", x.shape)
	}
	n := x.shape[3]
	if len(y.data) != n || n == 0 {
		return nil, nil, 0, 0, fmt.Errorf("its y has %d labels for %d images", len(y.data), n)
	}
	h, w = x.shape[0], x.shape[1]
	pix = make([]byte, len(x.data))
	for i := range n { // MATLAB's first index runs fastest
		from, to := x.data[i*3*h*w:(i+1)*3*h*w], pix[i*3*h*w:(i+1)*3*h*w]
		for c := range 3 {
			for col := range w {
				for row := range h {
					to[(row*w+col)*3+c] = from[(c*w+col)*h+row]
				}
			}
		}
	}
	for i, l := range y.data {
		if l < 1 || l > 10 {
			return nil, nil, 0, 0, fmt.Errorf("label %d of image %d is out of range, labels go from 1 to 10", l, i)
		}
		classes = append(classes, int64(l%10))
	}
	return pix, classes, h, w, nil
}

// matArray is an array of bytes of a MATLAB file.
type matArray struct {
	shape []int
	data  []byte
}

const (
	matUint8      = 2
	matMatrix     = 14
	matCompressed = 15
)

// parseMAT reads the byte arrays of a MATLAB 5 file, little-endian, by name; others are left out.
// https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
func parseMAT(data []byte) (map[string]matArray, error) {
	if len(data) < 128 || string(data[126:128]) != "IM" {
		return nil, errors.New("it is no MATLAB 5 file")
	}
	vars := map[string]matArray{}
	for rest := data[128:]; len(rest) > 0; {
		kind, body, next, err := matElement(rest)
		if err != nil {
			return nil, err
		}
		rest = next
		if kind == matCompressed {
			z, err := zlib.NewReader(bytes.NewReader(body))
			if err != nil {
				return nil, fmt.Errorf("a compressed array: %w", err)
			}
			plain, err := io.ReadAll(io.LimitReader(z, maxData))
			if err != nil {
				return nil, fmt.Errorf("a compressed array: %w", err)
			}
			if kind, body, _, err = matElement(plain); err != nil {
				return nil, err
			}
		}
		if kind != matMatrix {
			continue
		}
		name, a, err := matMatrixOf(body)
		if err != nil {
			return nil, err
		}
		if a.data != nil {
			vars[name] = a
		}
	}
	return vars, nil
}

var errMATEnds = errors.New("the file ends too early")

// matElement cuts the next element off; small ones have their data within the tag.
func matElement(b []byte) (kind uint32, body, rest []byte, err error) {
	if len(b) < 8 {
		return 0, nil, nil, errMATEnds
	}
	kind = binary.LittleEndian.Uint32(b)
	if small := kind >> 16; small != 0 {
		if small > 4 {
			return 0, nil, nil, errors.New("a small element of more than 4 bytes")
		}
		return kind & 0xffff, b[4 : 4+small], b[8:], nil
	}
	n := uint64(binary.LittleEndian.Uint32(b[4:]))
	if n > uint64(len(b)-8) {
		return 0, nil, nil, errMATEnds
	}
	end := 8 + n
	padded := end
	if kind != matCompressed {
		padded = min((end+7)&^7, uint64(len(b)))
	}
	return kind, b[8:end], b[padded:], nil
}

func matMatrixOf(b []byte) (name string, a matArray, err error) {
	var parts [4][]byte // flags, dimensions, name, values
	var kind uint32
	for i := range parts {
		if kind, parts[i], b, err = matElement(b); err != nil {
			return "", a, err
		}
	}
	name = string(parts[2])
	if kind != matUint8 {
		return name, a, nil
	}
	size := uint64(1)
	for d := parts[1]; len(d) >= 4; d = d[4:] {
		n := binary.LittleEndian.Uint32(d)
		a.shape = append(a.shape, int(n))
		if size *= uint64(n); size > maxData {
			return "", a, fmt.Errorf("array %q of shape %v is too large", name, a.shape)
		}
	}
	if size != uint64(len(parts[3])) {
		return "", a, fmt.Errorf("array %q of shape %v has %d bytes", name, a.shape, len(parts[3]))
	}
	a.data = parts[3]
	return name, a, nil
}

func init() {
	registry.Register[lighter.Dataset]("torchvision.datasets.SVHN", SVHN{Split: "train"}, "torchvision.datasets.svhn.SVHN")
}
